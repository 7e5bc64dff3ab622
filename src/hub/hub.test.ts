import { describe, expect, test } from 'vitest';
import { type Dialect, native } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { append, custom, END, START } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { RecordedSink, RecordedViewer, until } from './recording.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a stream (P6, P7)', () => {
  test('begins with a comment, its own retry, hello and history, says when it is live, and ends with bye', async () => {
    const log = openMemory();
    await append(log, 'r', [START, custom(1)], 't');
    const hub = hubOn(log, { heartbeatMs: 12_345 });
    const { viewer, sink } = await watch(hub, { selection: { runId: 'r' } });
    await caughtUp(viewer);
    await append(log, 'r', [END], 't');
    await until(() => viewer.ended);
    expect(viewer.comments[0]).toBe('connected');
    expect(viewer.retry).toBeGreaterThanOrEqual(1000);
    expect(viewer.retry).toBeLessThanOrEqual(4000);
    expect(names(viewer)).toEqual([
      'stream.hello -',
      'run.started 1',
      'custom 2',
      'stream.caught-up -',
      'run.completed 3',
      'stream.bye -',
    ]);
    const { epoch } = (await log.head('t'))!;
    const hello = { threadId: 't', runId: 'r', epoch, earliest: 1, latest: 2, heartbeatMs: 12_345 };
    expect(JSON.parse(viewer.frames[0]!.data)).toEqual(hello);
    expect(sink.end_).toBe('end');
  });

  test('takes everything that one turn of the event loop appended in one write, for all viewers the same bytes', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const hub = hubOn(log);
    const written: Uint8Array[][] = [[], []];
    for (const list of written) {
      const { viewer, sink } = await watch(hub);
      await caughtUp(viewer);
      const write = sink.write.bind(sink);
      sink.write = (bytes) => {
        list.push(bytes);
        return write(bytes);
      };
    }
    for (let n = 0; n < 3; n++) await append(log, 't', [custom(n)]);
    await turn();
    await turn();
    expect(written.map((list) => list.length)).toEqual([1, 1]);
    expect(written[0]![0]).toBe(written[1]![0]);
  });

  test('encodes each block once per view, however many watch', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const hub = hubOn(log);
    let encoded = 0;
    const counting: Dialect = {
      name: 'counting',
      encoder(selection, place) {
        const encoder = native.encoder(selection, place);
        return {
          get after() {
            return encoder.after;
          },
          encode(block, limit) {
            encoded++;
            return encoder.encode(block, limit);
          },
        };
      },
    };
    const watching: Awaited<ReturnType<typeof watch>>[] = [];
    for (let i = 0; i < 5; i++) watching.push(await watch(hub, { dialect: counting }));
    for (const { viewer } of watching) await caughtUp(viewer);
    const other = await watch(hub);
    encoded = 0;
    await append(log, 't', [custom(1)]);
    await until(() => watching.every(({ viewer }) => viewer.events.length === 2));
    expect(encoded).toBe(1);
    for (const { sink } of watching) sink.vanish();
    await append(log, 't', [custom(2)]);
    await until(() => other.viewer.events.length === 3);
    expect(encoded).toBe(1);
  });

  test('moves the cursor of a quiet view after history, and at each heartbeat', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom(1)]);
    const { viewer } = await watch(hubOn(log, { heartbeatMs: 60 }), { selection: { types: ['tool.*'] } });
    await caughtUp(viewer);
    await append(log, 't', [custom(2), custom(3)]);
    await until(() => viewer.cursor?.endsWith('.4') ?? false);
    await until(() => viewer.comments.length > 3);
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.progress 2', 'stream.caught-up -', 'stream.progress 4']);
    const { epoch } = (await log.head('t'))!;
    expect(viewer.comments.at(-1)).toBe(`heartbeat ${epoch}.4`);
  });

  test('from=now begins at the tail, with an id to come back with', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom(1)]);
    const { viewer } = await watch(hubOn(log), { from: 'now' });
    await caughtUp(viewer);
    await append(log, 't', [custom(2)]);
    await until(() => viewer.events.length > 0);
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.progress 2', 'stream.caught-up -', 'custom 3']);
  });

  test('of a run that has ended: from=now is told so and ends; a cursor at its end opens nothing', async () => {
    const log = openMemory();
    await append(log, 'r', [START, END], 't');
    await append(log, 'other', [START], 't');
    const hub = hubOn(log);
    const selection = { runId: 'r' };
    const { viewer } = await watch(hub, { selection, from: 'now' });
    expect(names(viewer)).toEqual(['stream.hello -', 'stream.progress 3', 'stream.bye -']);
    const { sink, outcome } = await watch(hub, { selection, viewer });
    expect([outcome, sink.writes]).toEqual(['over', 0]);
    await until(() => hub.threads === 0);
  });

  test('of a run that ends while the stream is being opened: the end comes', async () => {
    const memory = openMemory();
    await append(memory, 'r', [START], 't');
    let asked = 9;
    const between = async () => {
      if (++asked === 2) await append(memory, 'r', [END], 't');
    };
    const log = {
      ...memory,
      read: memory.read.bind(memory),
      follow: memory.follow.bind(memory),
      head: (id: string) => between().then(() => memory.head(id)),
      runs: { ...memory.runs, get: (id: string) => between().then(() => memory.runs.get(id)) },
    } as Log;
    const hub = hubOn(log);
    const first = await watch(hub);
    await caughtUp(first.viewer);
    asked = 0;
    const { viewer } = await watch(hub, { selection: { runId: 'r' }, from: 'now' });
    await until(() => viewer.ended);
    expect(viewer.events).toHaveLength(1);
  });

  test('of a run in a thread of many: its own events only, from its first on, whatever the cursor was', async () => {
    const log = openMemory();
    await append(log, 'a', [START, custom(1)], 't');
    await append(log, 'b', [START, custom(2)], 't');
    await append(log, 'a', [END], 't');
    await append(log, 'b', [END], 't');
    const hub = hubOn(log);
    const viewer = new RecordedViewer('v');
    viewer.cursor = `${(await log.head('t'))!.epoch}.1`;
    await watch(hub, { selection: { runId: 'b' }, viewer });
    await until(() => viewer.ended);
    expect(names(viewer)).toEqual(['stream.hello -', 'run.started 3', 'custom 4', 'run.completed 6', 'stream.bye -']);
    expect(viewer.events.map(({ data }) => (JSON.parse(data) as { prev?: number }).prev)).toEqual([1, undefined, 4]);
  });

  test.each([
    ['malformed', () => 'x.y.z', 0, 0],
    ['unknown_epoch', () => 'someother.2', 0, 0],
    ['ahead_of_tail', (epoch: string) => `${epoch}.99`, 0, 0],
    ['truncated', (epoch: string) => `${epoch}.1`, 1, 3],
  ])('tells a cursor that is %s by a reset right after hello', async (reason, cursor, shared, after) => {
    const log = openMemory();
    await append(log, 't', [START, custom(1), custom(2), custom(3), custom(4)]);
    if (reason === 'truncated') await log.retention.trim('t', 3);
    const viewer = new RecordedViewer('v');
    const { epoch } = (await log.head('t'))!;
    viewer.cursor = cursor(epoch);
    await watch(hubOn(log), { viewer });
    await caughtUp(viewer);
    const [, reset, next] = viewer.frames;
    expect(reset).toMatchObject({ event: 'stream.reset', id: `${epoch}.${after}` });
    expect(JSON.parse(reset!.data)).toEqual({ reason, earliest: after + 1, latest: 5, shared, after });
    expect(next!.id).toBe(`${epoch}.${after + 1}`);
  });
});

describe('letting go', () => {
  test('of everything when the last viewer leaves: follows, threads, timers', async () => {
    const memory = openMemory();
    await append(memory, 't', [START]);
    let follows = 0;
    const log = {
      ...memory,
      head: (id: string) => memory.head(id),
      read: memory.read.bind(memory),
      follow: async (...args: Parameters<Log['follow']>) => {
        const unfollow = await memory.follow(...args);
        follows++;
        return () => {
          follows--;
          unfollow();
        };
      },
    } as Log;
    const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;
    const before = timers();
    const hub = hubOn(log);
    const sinks = [];
    for (let i = 0; i < 20; i++) sinks.push((await watch(hub, { selection: i % 2 ? {} : { types: ['custom'] } })).sink);
    expect([hub.viewers, hub.threads, follows, timers() - before]).toEqual([20, 1, 1, 2]);
    for (const sink of sinks) sink.vanish();
    expect([hub.viewers, hub.threads, follows, timers() - before]).toEqual([0, 0, 0, 0]);
  });

  test('of a viewer that vanished while the log was being asked', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const hub = hubOn(log);
    const sink = new RecordedSink(new RecordedViewer('v'));
    const opening = hub.open({ dialect: native, threadId: 't', selection: {} }, sink);
    sink.vanish();
    await opening;
    expect([hub.viewers, hub.threads, sink.writes]).toEqual([0, 0, 0]);
  });

  test('of a thread that is not there', async () => {
    const hub = hubOn(openMemory());
    await expect(watch(hub)).rejects.toMatchObject({ code: 'thread_not_found' });
    await expect(watch(hub, { selection: { runId: 'x' } })).rejects.toMatchObject({ code: 'thread_not_found' });
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  });

  test('by close: streams end without bye, and new ones are cut', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const hub = new Hub(log);
    const { viewer, sink } = await watch(hub);
    await caughtUp(viewer);
    await hub.close();
    expect([sink.end_, viewer.ended, hub.viewers, hub.threads]).toEqual(['end', false, 0, 0]);
    const late = await watch(hub);
    expect([late.sink.end_, hub.viewers, hub.threads]).toEqual(['abort', 0, 0]);
  });
});
