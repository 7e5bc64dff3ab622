import { afterEach, describe, expect, test } from 'vitest';
import { type Dialect, native, type Selection } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { TelltaleError, writeFrame } from '../protocol/index.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { append, custom, delta, END, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import { Hub, type HubOptions } from './index.ts';
import { RecordedSink, RecordedViewer, Recording, until } from './recording.fixture.ts';

const hubs: Hub[] = [];
afterEach(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
});

function hubOn(log: Log, options: HubOptions = {}): Hub {
  const hub = new Hub(log, options);
  hubs.push(hub);
  return hub;
}

interface Watch {
  readonly selection?: Selection;
  readonly from?: 'now';
  readonly room?: number;
  readonly dialect?: Dialect;
  readonly viewer?: RecordedViewer;
  readonly thread?: string;
}

async function watch(
  hub: Hub,
  { selection = {}, from, room, dialect = native, viewer = new RecordedViewer('v'), thread = 't' }: Watch = {},
) {
  const sink = new RecordedSink(viewer, room);
  const { cursor } = viewer;
  const request = {
    dialect,
    threadId: thread,
    selection,
    ...(cursor !== undefined && { cursor }),
    ...(from && { from }),
  };
  const outcome = await hub.open(request, sink);
  return { viewer, sink, outcome };
}

const names = ({ frames }: RecordedViewer) => frames.map(({ event, id }) => `${event} ${id?.split('.')[1] ?? '-'}`);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const caughtUp = (viewer: RecordedViewer) =>
  until(() => viewer.frames.some(({ event }) => event === 'stream.caught-up'));

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

describe('when the log changes under a stream (P4, P7)', () => {
  test('viewers beyond the place where it was cut are reset in mid-stream, the others go on', async () => {
    const forking = new ForkingLog();
    const recording = new Recording();
    const say = () => {
      const block = forking.append();
      const { type, runId } = block.entry(block.first);
      const content = new TextDecoder().decode(block.json(block.first));
      const event = { epoch: block.epoch, seq: block.first, type, runId, content };
      recording.records.push({ at: performance.now(), what: 'acked', event });
    };
    for (let i = 0; i < 6; i++) say();
    const hub = hubOn(forking.log);
    const ahead = await watch(hub, { viewer: recording.viewer('ahead') });
    const behind = await watch(hub, { viewer: recording.viewer('behind'), room: 100 });
    await until(() => ahead.viewer.events.length === 6);
    expect(behind.viewer.events).toEqual([]);

    forking.fork(4);
    recording.records.push({ at: performance.now(), what: 'forked', epoch: 'e2', after: 4 });
    say();
    say();
    say();
    await until(() => ahead.viewer.cursor === 'e2.7');
    await until(() => {
      behind.sink.drain();
      return behind.viewer.cursor === 'e2.7';
    });
    for (const { viewer } of [ahead, behind]) viewer.complete();
    expect(checkHistory(recording.records)).toEqual([]);
    const reset = ahead.viewer.frames.find(({ event }) => event === 'stream.reset');
    expect(JSON.parse(reset!.data)).toEqual({ reason: 'diverged', earliest: 1, latest: 7, shared: 4, after: 4 });
    expect(reset!.id).toBe('e1.4');
    expect(names(behind.viewer)).not.toContain('stream.reset 4');
  });

  test('a viewer that history was trimmed under is told what is missing', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom('x'.repeat(200_000))]);
    for (let i = 0; i < 4; i++) await append(log, 't', [custom('x'.repeat(200_000))]);
    const { viewer, sink } = await watch(hubOn(log), { room: 1000 });
    await log.retention.trim('t', 5);
    await until(() => {
      sink.drain();
      return viewer.frames.some(({ event }) => event === 'stream.caught-up');
    });
    const reset = viewer.frames.find(({ event }) => event === 'stream.reset');
    const data = JSON.parse(reset!.data) as { shared: number };
    expect(data).toEqual({ reason: 'truncated', earliest: 6, latest: 6, shared: data.shared, after: 5 });
    expect(data.shared).toBeLessThan(5);
    expect(viewer.cursor).toMatch(/\.6$/);
  });

  test('every commit arrives in time though every wake-up is lost', async () => {
    const memory = openMemory();
    const deaf: Log = {
      ...memory,
      head: (id) => memory.head(id),
      read: (...args) => memory.read(...args),
      follow: async () => () => {},
    } as Log;
    await append(memory, 't', [START]);
    const recording = new Recording();
    const latenessMs = 300;
    const { viewer } = await watch(hubOn(deaf, { latenessMs }), { viewer: recording.viewer('v') });
    await caughtUp(viewer);
    for (let n = 2; n <= 6; n++) {
      await recording.acked(memory, 't', await append(memory, 't', [custom(n)]));
      await until(() => viewer.cursor?.endsWith(`.${n}`) ?? false);
    }
    expect(checkHistory(recording.records, { latenessMs })).toEqual([]);
    expect(viewer.events).toHaveLength(6);
  });

  test('what one viewer reads of the log is news to all of them, though every wake-up is lost', async () => {
    const memory = openMemory();
    let reads = 0;
    const deaf = {
      ...memory,
      head: (id: string) => memory.head(id),
      read: (...args: Parameters<Log['read']>) => {
        reads++;
        return memory.read(...args);
      },
      follow: async () => () => {},
    } as Log;
    await append(memory, 't', [START]);
    const hub = hubOn(deaf, { latenessMs: 1e9 });
    const early = await watch(hub);
    await caughtUp(early.viewer);
    await append(memory, 't', [custom(2), custom(3)]);
    const late = await watch(hub);
    await until(() => early.viewer.events.length === 3 && late.viewer.events.length === 3);
    await caughtUp(late.viewer);
    expect(reads).toBeLessThan(5);
  });

  test('a log that cannot be read cuts the stream, so that the client comes back, and is reported', async () => {
    const memory = openMemory();
    await append(memory, 't', [START]);
    const broken = {
      ...memory,
      head: (id: string) => memory.head(id),
      follow: memory.follow.bind(memory),
      read: () => Promise.reject(new TelltaleError('log_unavailable', 'The disk is away')),
    } as unknown as Log;
    const errors: unknown[] = [];
    const hub = hubOn(broken, { onError: (error) => errors.push(error) });
    const { sink } = await watch(hub);
    await until(() => sink.closed);
    expect(sink.end_).toBe('abort');
    expect(errors).toMatchObject([{ code: 'log_unavailable' }]);
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  });
});

describe('a viewer that does not read', () => {
  test.each([100_000, 100_000_000])(
    'holds one page at most, slows nobody, and gets everything when it reads again (window of %d)',
    async (windowBytes) => {
      const log = openMemory();
      await append(log, 't', [START]);
      const hub = hubOn(log, { windowBytes });
      const slow = await watch(hub, { room: 1000 });
      const fast = await watch(hub);
      await caughtUp(fast.viewer);
      for (let i = 0; i < 200; i++)
        await append(
          log,
          't',
          Array.from({ length: 20 }, () => delta('x'.repeat(1000))),
        );
      await until(() => fast.viewer.events.length === 4001);
      expect(slow.viewer.events.length).toBeLessThan(300);
      await until(() => {
        slow.sink.drain();
        return slow.viewer.events.length === 4001;
      });
      expect(slow.sink.mostUnread).toBeLessThanOrEqual(256 * 1024 + 1000);
      expect(slow.viewer.events.map(({ id }) => id)).toEqual(fast.viewer.events.map(({ id }) => id));
      expect(slow.sink.writes).toBeLessThan(40);
    },
  );

  test('gets one frame at a time where frames are larger than a page', async () => {
    const log = openMemory();
    await append(log, 't', [START, ...Array.from({ length: 3 }, () => custom('x'.repeat(260_000)))]);
    const { viewer, sink } = await watch(hubOn(log), { room: 1000 });
    await until(() => {
      sink.drain();
      return viewer.events.length === 4;
    });
    expect(sink.mostUnread).toBeLessThan(262_000);
  });

  test('gets no heartbeats on top of what it does not take', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom('x'.repeat(2000))]);
    const hub = hubOn(log, { heartbeatMs: 20 });
    const slow = await watch(hub, { room: 1000 });
    const { viewer } = await watch(hub);
    const { writes } = slow.sink;
    await until(() => viewer.comments.length > 5);
    expect(slow.sink.writes).toBe(writes);
  });
});

describe('a dialect with state', () => {
  /** Counts the events of the thread; each becomes two frames. */
  const doubling: Dialect = {
    name: 'doubling',
    encoder(_selection, { begin, after: known, k = 0 }) {
      let after = begin;
      let count = 0;
      return {
        get after() {
          return after;
        },
        encode(block) {
          let text = '';
          for (let seq = after + 1; seq <= block.last; seq++) {
            count++;
            after = seq;
            const frames = [`${block.epoch}.${seq}.1`, `${block.epoch}.${seq}`].map((id, i) =>
              writeFrame({ id, event: 'half', data: JSON.stringify({ seq, count, half: i + 1 }) }),
            );
            if (seq > known) text += frames.slice(seq === known + 1 ? k : 0).join('');
          }
          return { bytes: new TextEncoder().encode(text), lastId: text ? after : 0, ended: false };
        },
      };
    },
  };

  test('folds from the start, is shared live, and resumes inside the frames of one event', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom(1), custom(2)]);
    const { epoch } = (await log.head('t'))!;
    const hub = hubOn(log);
    const viewer = new RecordedViewer('v');
    viewer.cursor = `${epoch}.2.1`;
    await watch(hub, { dialect: doubling, viewer });
    const other = await watch(hub, { dialect: doubling });
    await caughtUp(viewer);
    await append(log, 't', [custom(3)]);
    await until(() => viewer.cursor === `${epoch}.4` && other.viewer.cursor === `${epoch}.4`);
    const halves = (it: RecordedViewer) =>
      it.events.map(({ data }) => JSON.parse(data) as object).map((data) => Object.values(data).join());
    expect(halves(viewer)).toEqual(['2,2,2', '3,3,1', '3,3,2', '4,4,1', '4,4,2']);
    expect(halves(other.viewer)).toHaveLength(8);
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
