import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { native } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { append, custom, type Draft, delta, END, START } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { ManyRecording, ManyViewer, ofStream, run, thread, watchAll } from './many-viewer.fixture.ts';
import { RecordedSink, RecordedViewer, Recording, until } from './recording.fixture.ts';
import { scheduled, settle } from './scheduled-log.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

/** Thread `t`: gone 1, kept 2, gone 3 to 5, kept 6, gone 7 (its end), kept 8 and 9 where it goes on. */
async function filled(log: Log, more: readonly Draft[] = []): Promise<void> {
  await append(log, 'gone', [START], 't');
  await append(log, 'kept', [START], 't');
  await append(log, 'gone', [custom('a'), delta('b'), delta('c')], 't');
  await append(log, 'kept', [delta('d')], 't');
  await append(log, 'gone', [END], 't');
  if (more.length > 0) await append(log, 'kept', more, 't');
}

/** The log, but for some of it. */
const changed = (log: Log, change: Partial<Log>): Log => ({
  ...log,
  durability: log.durability,
  append: (...args) => log.append(...args),
  read: (...args) => log.read(...args),
  head: (...args) => log.head(...args),
  follow: (...args) => log.follow(...args),
  close: () => log.close(),
  ...change,
});

/** A log whose pages are read at once, and come when they are released. */
function holding(log: Log): { log: Log; release: () => void } {
  const hold = Promise.withResolvers<void>();
  const read: Log['read'] = async (...args) => {
    const page = await log.read(...args);
    await hold.promise;
    return page;
  };
  return { log: changed(log, { read }), release: hold.resolve };
}

const prevs = ({ events }: RecordedViewer) =>
  events.map(({ data }) => {
    const { seq, prev = seq - 1 } = JSON.parse(data) as { seq: number; prev?: number };
    return [prev, seq];
  });

describe('a run of a thread that is erased (P5, P8)', () => {
  test.each([
    ['everything', {}],
    ['by type', { selection: { types: ['run.*', 'message.*'] } }],
    ['by depth', { selection: { depth: 0 } }],
    ['merged', { coalesce: 'default' as const }],
    ['as messages', { selection: { asMessages: true } }],
  ])('is skipped by who comes later, and prev tells the jump: %s', async (_, options) => {
    const log = openMemory();
    await filled(log, [delta('e'), delta('f')]);
    await log.retention.erase('gone');
    const { viewer } = await watch(hubOn(log), options);
    await caughtUp(viewer);
    const merged = 'coalesce' in options;
    expect(prevs(viewer)).toEqual(merged ? [[0, 2], [2, 9]] : [[0, 2], [2, 6], [6, 8], [8, 9]]); // biome-ignore format: pairs
    const ids = viewer.frames.map(({ id }) => id?.split('.')[1]);
    expect(ids).not.toContain('7');
    expect(viewer.cursor).toMatch(/\.9$/);
  });

  test.each([
    [-1, [6]],
    [-2, [2, 6]],
    [-3, [2, 6]],
  ])('is not counted by from=%i', async (from, seqs) => {
    const log = openMemory();
    await filled(log);
    await log.retention.erase('gone');
    const { viewer } = await watch(hubOn(log), { from });
    await caughtUp(viewer);
    expect(prevs(viewer).map(([, seq]) => seq)).toEqual(seqs);
  });

  test('a void at the tail moves the cursor, and a cursor inside a void is as good as any', async () => {
    const log = openMemory();
    await filled(log);
    await log.retention.erase('gone');
    const hub = hubOn(log);
    const { viewer } = await watch(hub);
    await caughtUp(viewer);
    expect(names(viewer).slice(-2)).toEqual(['stream.progress 7', 'stream.caught-up -']);
    const [epoch] = viewer.cursor!.split('.');
    for (const [seq, expected] of [
      [3, [[3, 6]]],
      [4, [[4, 6]]],
      [7, []],
    ] as const) {
      // biome-ignore format: pairs
      const late = new RecordedViewer('late');
      late.cursor = `${epoch}.${seq}`;
      await watch(hub, { viewer: late });
      await caughtUp(late);
      expect(names(late)).not.toContain('stream.reset -');
      expect(prevs(late)).toEqual(expected);
    }
  });

  test('viewers of the thread go on live, over the void', async () => {
    const log = openMemory();
    const recording = new Recording();
    await filled(log);
    for (const { blocks } of [await log.read('t', 0)]) for (const block of blocks) recording.block(block);
    const { viewer } = await watch(hubOn(log), { viewer: recording.viewer('v') });
    await caughtUp(viewer);
    await log.retention.erase('gone');
    recording.records.push({ at: performance.now(), what: 'erased', runId: 'gone' });
    await recording.acked(log, 't', await append(log, 'kept', [custom('new')], 't'));
    await until(() => viewer.cursor?.endsWith('.8') ?? false);
    viewer.complete();
    expect(checkHistory(recording.records)).toEqual([]);
  });

  test('a page that was read before is not sent afterwards', async () => {
    const memory = openMemory();
    await filled(memory);
    const { log, release } = holding(memory);
    const { viewer } = await watch(hubOn(log));
    await memory.retention.erase('gone');
    release();
    await caughtUp(viewer);
    expect(prevs(viewer).map(([, seq]) => seq)).toEqual([2, 6]);
  });

  test('what was at hand in memory is sent to nobody any more', async () => {
    const log = openMemory();
    await append(log, 'kept', [START], 't');
    const hub = hubOn(log, { latenessMs: 1e9 });
    const { viewer } = await watch(hub);
    await caughtUp(viewer);
    // Live, so that window and views hold it.
    await append(log, 'gone', [START, custom('secret'), END], 't');
    await until(() => viewer.cursor?.endsWith('.4') ?? false);
    await log.retention.erase('gone');
    const late = new RecordedViewer('late');
    late.cursor = `${viewer.cursor!.split('.')[0]}.1`;
    await watch(hub, { viewer: late });
    await caughtUp(late);
    expect(late.events).toEqual([]);
    expect(late.cursor).toMatch(/\.4$/);
  });
});

describe('the stream of a run that is erased (P7, P8)', () => {
  test('says so, and ends, in the middle of its history', async () => {
    const memory = openMemory();
    await filled(memory);
    const { log, release } = holding(memory);
    const { viewer, sink } = await watch(hubOn(log), { selection: { runId: 'gone' } });
    await memory.retention.erase('gone');
    release();
    await until(() => sink.closed);
    expect(sink.end_).toBe('end');
    expect(viewer.events).toEqual([]);
    expect(viewer.frames.at(-1)).toMatchObject({ event: 'stream.bye', data: '{"reason":"deleted"}' });
  });

  test('is cut where its connection has not taken all it was given', async () => {
    const log = openMemory();
    await filled(log);
    const { sink, viewer } = await watch(hubOn(log), { selection: { runId: 'gone' }, room: 100 });
    await until(() => sink.unread > 0);
    await log.retention.erase('gone');
    expect(sink.end_).toBe('abort');
    expect(viewer.events).toEqual([]);
  });

  test('is refused where the run is erased while it is opened', async () => {
    const memory = openMemory();
    await filled(memory);
    const get = async (runId: string) => {
      const run = await memory.runs.get(runId);
      await memory.retention.erase(runId);
      return run;
    };
    const log = changed(memory, { runs: { ...memory.runs, get } });
    const hub = hubOn(log);
    const opening = hub.open(
      { dialect: native, threadId: 't', selection: { runId: 'gone' } },
      new RecordedSink(new RecordedViewer('v')),
    );
    await expect(opening).rejects.toMatchObject({ code: 'run_deleted' });
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  });
});

test('P7: a poll that finds its run and is about to wait when that is erased looks again at once', async () => {
  const memory = openMemory();
  await filled(memory);
  const { epoch, last } = (await memory.head('t'))!;
  const get = async (runId: string) => {
    const run = await memory.runs.get(runId);
    await memory.retention.erase(runId);
    return run;
  };
  const hub = hubOn(changed(memory, { runs: { ...memory.runs, get } }));
  const news = await hub.wait({ threadId: 't', runId: 'gone', epoch, after: last, milliseconds: 1000 });
  expect(news).toBe('look');
});

describe('one of several streams, of a run that is erased (P6, P7, P8)', () => {
  const STREAMS = [run('gone', 't'), run('kept', 't'), thread('t'), run('other')];

  /** Threads `t` and `other`, and a viewer whose history is judged. */
  async function recorded(log: Log) {
    const recording = new ManyRecording();
    await filled(log);
    await append(log, 'other', [START]);
    for (const id of ['t', 'other']) for (const block of (await log.read(id, 0)).blocks) recording.of(id).block(block);
    const erased = () => recording.of('t').records.push({ at: performance.now(), what: 'erased', runId: 'gone' });
    const say = async (id: string, drafts: readonly Draft[], threadId = id) =>
      recording.of(threadId).acked(log, threadId, await append(log, id, drafts, threadId));
    return { viewer: new ManyViewer('v', recording), recording, erased, say };
  }

  test('is told while its page is held; the others lose nothing, live or after a reconnect', async () => {
    const memory = openMemory();
    const { viewer, recording, erased, say } = await recorded(memory);
    const { log, release } = holding(memory);
    const hub = hubOn(log);
    const { sink } = await watchAll(hub, STREAMS, { viewer });
    await memory.retention.erase('gone');
    erased();
    release();
    await until(() => viewer.names('run:other').includes('stream.caught-up -'));
    expect(viewer.names('run:gone')).toEqual(['stream.hello -', 'stream.ended -']);
    expect(viewer.frames.find(({ event }) => event === 'stream.ended')!.data).toBe(
      '{"stream":"run:gone","reason":"deleted"}',
    );
    await say('kept', [custom(1)], 't');
    await say('other', [custom(2)]);
    await until(() => viewer.names('run:other').includes('custom 2') && viewer.names('run:kept').includes('custom 8'));
    sink.vanish();
    await say('kept', [END], 't');
    await say('other', [END]);
    const again = await watchAll(hub, STREAMS, { viewer });
    await until(() => viewer.names('thread:t').includes('run.completed 9'));
    await until(() => viewer.frames.filter(({ event }) => event === 'stream.ended').length === 3);
    expect(viewer.frames.find(({ event }) => event === 'stream.refused')!.data).toContain('"code":"run_deleted"');
    again.sink.vanish();
    viewer.complete();
    expect(recording.findings(ofStream)).toEqual([]);
  });

  test('is told while it streams, and the connection ends with the last of them', async () => {
    const log = openMemory();
    const { viewer, recording, erased, say } = await recorded(log);
    const { sink } = await watchAll(hubOn(log), [run('kept', 't'), run('other')], { viewer });
    await until(() => viewer.frames.filter(({ event }) => event === 'stream.caught-up').length === 2);
    await log.retention.erase('gone');
    erased();
    expect(viewer.frames.filter(({ event }) => event === 'stream.ended')).toEqual([]);
    for (const id of ['kept', 'other']) {
      expect(sink.closed).toBe(false);
      // Its end and its erasure come in one turn: the viewer has had no chance to be given the end.
      await say(id, [END], id === 'kept' ? 't' : id);
      await log.retention.erase(id);
      recording.of(id === 'kept' ? 't' : id).records.push({ at: performance.now(), what: 'erased', runId: id });
    }
    await until(() => sink.closed);
    expect(viewer.frames.slice(-3).map(({ event, data }) => [event, data])).toEqual([
      ['stream.ended', '{"stream":"run:kept","reason":"deleted"}'],
      ['stream.ended', '{"stream":"run:other","reason":"deleted"}'],
      ['stream.bye', '{"reason":"deleted"}'],
    ]);
    viewer.complete();
    expect(recording.findings(ofStream)).toEqual([]);
  });

  test('is cut with all others where the connection has not taken all it was given', async () => {
    const log = openMemory();
    await filled(log);
    const { viewer, sink } = await watchAll(hubOn(log), STREAMS.slice(0, 3), { room: 100 });
    await until(() => sink.unread > 0);
    await log.retention.erase('gone');
    expect(sink.end_).toBe('abort');
    expect(viewer.frames).toEqual([]);
  });

  test('leaves nothing in the page of its thread that a full connection has not taken', async () => {
    const memory = openMemory();
    const { viewer, recording, erased } = await recorded(memory);
    let pages = 0;
    const read: Log['read'] = (...args) => memory.read(...args).finally(() => pages++);
    const { sink } = await watchAll(hubOn(changed(memory, { read })), [thread('t'), run('other')], { viewer, room: 1 });
    await until(() => pages > 0);
    await new Promise((resolve) => setImmediate(resolve));
    await memory.retention.erase('gone');
    erased();
    await until(() => {
      sink.drain();
      return viewer.frames.filter(({ event }) => event === 'stream.caught-up').length === 2;
    });
    expect(viewer.streams.get('thread:t')!.events.map(({ id }) => id!.split('.')[1])).toEqual(['2', '6']);
    viewer.complete();
    expect(recording.findings(ofStream)).toEqual([]);
  });

  test('is refused where the run is erased while others are found, and with the last of them all is refused', async () => {
    const memory = openMemory();
    const { viewer } = await recorded(memory);
    // Found before it is erased, and begun after.
    const head: Log['head'] = async (threadId) => {
      if (threadId === 'other') await memory.retention.erase('gone');
      return memory.head(threadId);
    };
    const hub = hubOn(changed(memory, { head }));
    await watchAll(hub, [run('gone', 't'), run('other')], { viewer });
    await until(() => viewer.names('run:other').includes('stream.caught-up -'));
    expect(viewer.frames.find(({ event }) => event === 'stream.refused')!.data).toContain('"stream":"run:gone"');
    await append(memory, 'other', [END]);
    await memory.retention.erase('other');
    const opening = watchAll(hubOn(memory), [run('gone', 't'), run('other')]);
    await expect(opening).rejects.toMatchObject({ code: 'run_deleted', status: 410 });
  });
});

test('P7: whenever a run is erased, and whatever the order of wake-ups and answers: nobody misses anything, and nobody waits', async () => {
  const scenario = fc.asyncProperty(
    fc.scheduler(),
    fc.array(fc.constantFrom('thread', 'gone', 'kept'), { minLength: 1, maxLength: 4 }),
    fc.boolean(),
    async (s, views, hintsOnly) => {
      const memory = openMemory();
      const recording = new Recording();
      const say = async (runId: string, drafts: readonly Draft[]) =>
        recording.acked(memory, 't', await append(memory, runId, drafts, 't'));
      await say('gone', [START]);
      await say('kept', [START]);
      const hub = new Hub(scheduled(memory, s, hintsOnly), { latenessMs: 1e9, heartbeatMs: 1e9 });
      const opened = views.map(async (view, i) => {
        await s.schedule(Promise.resolve(), 'a viewer comes');
        const viewer = recording.viewer(`${view} ${i}`);
        const selection = view === 'thread' ? {} : { runId: view };
        return { viewer, ...(await watch(hub, { viewer, selection }).catch(() => undefined)) };
      });
      const happening = (async () => {
        for (const [runId, drafts] of [
          ['gone', [custom(1)]],
          ['kept', [custom(2)]],
          ['gone', [custom(3), END]],
        ] as const) {
          await s.schedule(Promise.resolve(), 'appends');
          await say(runId, drafts);
        }
        await s.schedule(Promise.resolve(), 'erases');
        await memory.retention.erase('gone');
        await s.schedule(Promise.resolve(), 'appends');
        await say('kept', [custom(4), END]);
      })();
      await settle(s);
      await happening;
      recording.records.push({ at: performance.now(), what: 'erased', runId: 'gone' });
      for (const [i, { viewer, sink }] of (await Promise.all(opened)).entries()) {
        const isOfRun = views[i] !== 'thread';
        if (!isOfRun) expect(viewer.cursor).toMatch(/\.8$/);
        // A viewer of the run that came too late was refused, and has no sink.
        else if (sink) expect([sink.closed, viewer.ended]).toEqual([true, true]);
        else expect(views[i]).toBe('gone');
        viewer.complete();
      }
      const all = views.map((view, i) => [`${view} ${i}`, view] as const);
      const only = Object.fromEntries(
        all.map(([name, view]) => [name, ({ runId }: { runId: string }) => view === 'thread' || runId === view]),
      );
      const findings = checkHistory(recording.records, { views: only });
      const closing = hub.close();
      await settle(s);
      await closing;
      expect(findings).toEqual([]);
    },
  );
  await fc.assert(scenario, { numRuns: process.env.TELLTALE_LONG ? 50_000 : 1000 });
}, 300_000);
