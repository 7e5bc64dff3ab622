import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Selection } from '../dialects/index.ts';
import type { Log, RunRecord } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { emptySnapshot, type RunSnapshot, reduceAll } from '../protocol/index.ts';
import { append, custom, delta, END, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import { until } from './recording.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

const numbers = (viewer: { events: readonly { id?: string | undefined }[] }) =>
  viewer.events.map(({ id }) => Number(id!.split('.')[1]));

describe('from=-N (P7)', () => {
  test('begins with the newest N events of the view, or with all where there are fewer, and goes on live', async () => {
    const log = openMemory();
    // Runs `a` and `b` alternate; every 7th event is one of a rare type.
    await append(log, 'a', [START], 't');
    await append(log, 'b', [START], 't');
    for (let i = 3; i <= 60; i++) await append(log, i % 2 ? 'a' : 'b', [i % 7 ? custom(i) : ['rare.one']], 't');
    const views: [Selection, (seq: number) => boolean][] = [
      [{}, () => true],
      [{ runId: 'a' }, (seq) => seq % 2 === 1],
      [{ types: ['rare.*'] }, (seq) => seq > 2 && seq % 7 === 0],
      [{ runId: 'b', types: ['rare.*'] }, (seq) => seq > 2 && seq % 14 === 0],
      [{ types: ['never.seen'] }, () => false],
    ];
    for (const [selection, has] of views) {
      const all = Array.from({ length: 60 }, (_, i) => i + 1).filter(has);
      for (const n of [1, 2, 5, 8, 29, 9999]) {
        const { viewer, sink } = await watch(hubOn(log), { selection, from: -n });
        await caughtUp(viewer);
        expect(numbers(viewer)).toEqual(all.slice(-n));
        sink.vanish();
      }
    }
    const { viewer } = await watch(hubOn(log), { from: -2 });
    await caughtUp(viewer);
    await append(log, 'a', [custom(61)], 't');
    await until(() => viewer.events.length === 3);
    expect(numbers(viewer)).toEqual([59, 60, 61]);
  });

  test('of a run that has ended: its last events, whatever came after it in the thread, and bye', async () => {
    const log = openMemory();
    await append(log, 'a', [START, custom(1), END], 't');
    await append(log, 'b', [START, ...Array.from({ length: 50 }, custom)], 't');
    const { viewer } = await watch(hubOn(log), { selection: { runId: 'a' }, from: -2 });
    await until(() => viewer.ended);
    expect(names(viewer)).toEqual(['stream.hello -', 'custom 2', 'run.completed 3', 'stream.bye -']);
  });

  test('of a log that has forgotten its beginning: what it has', async () => {
    const log = openMemory();
    await append(log, 't', [START, ...Array.from({ length: 9 }, custom)]);
    await log.retention.trim('t', 7);
    const { viewer } = await watch(hubOn(log), { from: -5 });
    await caughtUp(viewer);
    expect(numbers(viewer)).toEqual([8, 9, 10]);
  });
});

describe('from=snapshot (P7)', () => {
  const snapshotIn = (viewer: { frames: readonly { event?: string | undefined; data: string }[] }) =>
    JSON.parse(viewer.frames.find(({ event }) => event === 'stream.snapshot')!.data) as RunSnapshot;
  async function folded(log: Log, runId: string, upTo = Number.POSITIVE_INFINITY): Promise<RunSnapshot> {
    const { blocks } = await log.read('t', 0, Number.POSITIVE_INFINITY);
    const events = blocks.flatMap((block) => [...block.events()]).filter(({ seq }) => seq <= upTo);
    return reduceAll(emptySnapshot(runId, 't'), events);
  }

  test('begins with the fold and its cursor; what comes then makes the rest of the fold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.nat(20), fc.boolean(), async (before, after, meanwhile) => {
        const log = openMemory();
        await append(log, 'a', [START], 't');
        await append(log, 'b', [START], 't');
        const say = async (count: number) => {
          for (let i = 0; i < count; i++)
            await append(log, i % 3 ? 'a' : 'b', [i % 2 ? delta(`${i} `) : custom(i)], 't');
        };
        await say(before);
        const watching = watch(hubOn(log), { selection: { runId: 'a' }, from: 'snapshot', coalesce: 'default' });
        if (meanwhile) await say(after);
        const { viewer } = await watching;
        if (!meanwhile) await say(after);
        await append(log, 'a', [END], 't');
        await until(() => viewer.ended);
        expect(viewer.frames.slice(0, 2).map(({ event }) => event)).toEqual(['stream.hello', 'stream.snapshot']);
        const snapshot = snapshotIn(viewer);
        expect(viewer.frames[1]!.id).toBe(`${snapshot.epoch}.${snapshot.seq}`);
        expect(snapshot).toEqual(await folded(log, 'a', snapshot.seq));
        const rest = viewer.events.map(({ data }) => JSON.parse(data));
        expect(reduceAll(snapshot, rest)).toEqual(await folded(log, 'a'));
      }),
      { numRuns: 40 },
    );
  });

  test('is the whole fold whatever the filter, which is for what follows', async () => {
    const log = openMemory();
    await append(log, 'a', [START, delta('x')], 't');
    const { viewer } = await watch(hubOn(log), {
      selection: { runId: 'a', types: ['custom'] },
      from: 'snapshot',
    });
    await caughtUp(viewer);
    await append(log, 'a', [delta('y'), custom(1)], 't');
    await until(() => viewer.events.length > 0);
    expect(snapshotIn(viewer).messages).toMatchObject([{ text: 'x' }]);
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.snapshot 2', 'stream.caught-up -', 'custom 4']);
  });

  test('of a run that has ended: the fold, bye, and nothing to come back for', async () => {
    const log = openMemory();
    await append(log, 'a', [START, END], 't');
    await append(log, 'b', [START], 't');
    const hub = hubOn(log);
    const selection = { runId: 'a' };
    const { viewer } = await watch(hub, { selection, from: 'snapshot' });
    await until(() => viewer.ended);
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.snapshot 2', 'stream.bye -']);
    expect(snapshotIn(viewer)).toMatchObject({ status: 'completed', seq: 2 });
    expect((await watch(hub, { selection, viewer })).outcome).toBe('over');
  });

  test('of a run whose events the log has forgotten: an empty fold, with a cursor that can be followed', async () => {
    const log = openMemory();
    await append(log, 'a', [START], 't');
    await append(log, 'b', [START, custom(1)], 't');
    await log.retention.trim('t', 2);
    const { viewer } = await watch(hubOn(log), { selection: { runId: 'a' }, from: 'snapshot' });
    await append(log, 'a', [custom(2)], 't');
    await until(() => viewer.events.length > 0);
    expect(snapshotIn(viewer).events).toBe(0);
    expect(names(viewer).filter((name) => !/caught-up|progress/.test(name))).toEqual([
      'stream.hello -',
      'stream.snapshot 2',
      'custom 4',
    ]);
  });

  test('of a run that has ended and was forgotten: an empty fold, and bye', async () => {
    const log = openMemory();
    await append(log, 'a', [START, END], 't');
    await append(log, 'b', [START, custom(1)], 't');
    await log.retention.trim('t', 3);
    const { viewer } = await watch(hubOn(log), { selection: { runId: 'a' }, from: 'snapshot' });
    await until(() => viewer.ended);
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.snapshot 3', 'stream.bye -']);
  });

  test('of a log that loses its end while it is folded: folds what there is then', async () => {
    const forking = new ForkingLog();
    for (let i = 0; i < 5; i++) forking.append();
    let asked = 0;
    const run: RunRecord = {
      ...{ runId: 't', threadId: 't', agent: 'a', createdAt: '2026-11-20T18:00:00.000Z' },
      ...{ status: 'running', first: 1, events: 5, fence: 0 },
    };
    const log: Log = {
      ...forking.log,
      runs: { ...forking.log.runs, get: async () => run },
      // The first question is the tail's, the second comes after the fold.
      head: async (threadId) => {
        if (++asked === 2) forking.fork(3);
        return forking.log.head(threadId);
      },
    };
    const { viewer } = await watch(hubOn(log), { selection: { runId: 't' }, from: 'snapshot' });
    await caughtUp(viewer);
    expect(viewer.frames.map(({ event, id }) => `${event} ${id ?? '-'}`)).toEqual([
      'stream.hello -',
      'stream.snapshot e1.3',
      'stream.caught-up -',
    ]);
    expect(snapshotIn(viewer)).toMatchObject({ seq: 3, events: 3 });
  });

  test('is not for threads', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    await expect(watch(hubOn(log), { from: 'snapshot' })).rejects.toMatchObject({ code: 'invalid_request' });
  });
});
