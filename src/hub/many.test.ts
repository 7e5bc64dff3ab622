/** Several streams on one connection (P4, P6, P7). */
import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { digest, formatPart, streamKey } from '../protocol/index.ts';
import { append, custom, delta, END, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import { ManyRecording, ManyViewer, ofStream, run, thread, watchAll } from './many-viewer.fixture.ts';
import { until } from './recording.fixture.ts';
import { hubOn } from './watch.fixture.ts';

const told = ({ frames }: ManyViewer, event: string) =>
  frames.filter((it) => it.event === event).map(({ data }) => JSON.parse(data));
const allCaughtUp = (viewer: ManyViewer, count: number) =>
  until(() => told(viewer, 'stream.caught-up').length === count, `${count} streams to be caught up`);

describe('several streams on one connection', () => {
  test('each begins, is caught up and ends by itself; the connection ends with the last of them', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    await append(log, 'a', [START, custom(2)]);
    await append(log, 'b', [START, END]);
    const { viewer, sink } = await watchAll(hub, [run('a'), run('b')]);
    await allCaughtUp(viewer, 1);
    expect(viewer.names('run:b')).toEqual(['stream.hello -', 'run.started 1', 'run.completed 2', 'stream.ended -']);
    expect(sink.closed).toBe(false);
    await append(log, 'a', [END]);
    await until(() => sink.closed);
    expect(viewer.names('run:a')).toEqual([
      'stream.hello -',
      'run.started 1',
      'custom 2',
      'stream.caught-up -',
      'run.completed 3',
      'stream.ended -',
    ]);
    expect([viewer.ended, sink.end_]).toEqual([true, 'end']);
    expect(told(viewer, 'stream.bye')).toEqual([{ reason: 'ended' }]);
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
    expect((await watchAll(hub, [run('a'), run('b')], { viewer })).outcome).toBe('over');
    expect(hub.threads).toBe(0);
  });

  test('with the id of any frame, all of them go on after it', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    for (const id of ['a', 'b', 'c']) await append(log, id, [START, custom(id), delta('x'), END]);
    const streams = [run('a'), thread('b'), run('c'), run('b')];
    const { viewer } = await watchAll(hub, streams);
    await until(() => told(viewer, 'stream.ended').length === 3);
    const ids = viewer.frames.flatMap(({ id }) => id ?? []);
    expect(ids).toHaveLength(16);
    for (const [i, cursor] of ids.entries()) {
      const recording = new ManyRecording();
      const again = new ManyViewer('v', recording);
      again.cursor = cursor;
      const { sink } = await watchAll(hub, streams, { viewer: again });
      await until(() => told(again, 'stream.ended').length === 3 && told(again, 'stream.caught-up').length > 0);
      const before = viewer.frames.filter(({ id }) => id !== undefined).slice(0, i + 1);
      const after = again.frames.filter(({ id }) => id !== undefined);
      // The same frames for each stream, whichever comes first now.
      for (const [name] of streams) {
        const own = (frames: typeof after) =>
          frames.filter(({ id }) => id!.slice(1, 6) === streamKey(name)).map(({ data }) => data);
        expect([...own(before), ...own(after)]).toEqual(own(viewer.frames.filter(({ id }) => id !== undefined)));
      }
      sink.vanish();
    }
  });

  test('sixteen, live and with histories of all lengths, over vanishing and slow clients and tiny windows: each event once', async () => {
    const log = openMemory();
    const hub = hubOn(log, { windowBytes: 2000, heartbeatMs: 40 });
    const recording = new ManyRecording();
    const say = async (id: string, ...drafts: Parameters<typeof append>[2][number][]) =>
      recording.of(id).acked(log, id, await append(log, id, drafts));
    const ids = Array.from({ length: 16 }, (_, n) => `r${n}`);
    for (const [n, id] of ids.entries()) {
      await say(id, START);
      for (let i = 0; i < n * 4; i++) await say(id, custom('x'.repeat((n * 97) % 700)), custom(i));
    }
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const viewers = Array.from({ length: 4 }, (_, n) => new ManyViewer(`v${n}`, recording));
    let connections = 0;
    const watching = viewers.map(async (viewer, n) => {
      while (!viewer.ended) {
        connections++;
        const room = n % 2 ? 3000 : Number.POSITIVE_INFINITY;
        const { sink, outcome } = await watchAll(
          hub,
          ids.map((id) => run(id)),
          { viewer, room },
        );
        if (outcome === 'over') break;
        const most = connections < 60 ? 1 + random(40) : Number.POSITIVE_INFINITY;
        const had = viewer.frames.length;
        await until(() => {
          sink.drain();
          return sink.closed || viewer.frames.length - had > most;
        });
        if (!sink.closed) sink.vanish();
      }
      viewer.complete();
    });
    for (let i = 0; i < 300; i++) {
      await say(ids[random(16)]!, custom(i), ...(i % 3 ? [] : [custom('y'.repeat(random(900)))]));
      if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const id of ids) await say(id, END);
    await Promise.all(watching);
    expect(recording.findings(ofStream)).toEqual([]);
    expect(connections).toBeGreaterThan(40);
    for (const viewer of viewers) expect(viewer.frames.every(({ id = '' }) => id.length <= 512)).toBe(true);
  }, 30_000);
});

describe('another set of streams, with the cursor of the one before', () => {
  test('goes on with those it has, begins with those it has not, and forgets those that are gone, in any order', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    for (const id of ['a', 'b', 'c']) await append(log, id, [START, custom(2)]);
    const viewer = new ManyViewer();
    const first = await watchAll(hub, [run('a'), run('b')], { viewer });
    await allCaughtUp(viewer, 2);
    first.sink.vanish();
    await append(log, 'b', [custom(3)]);
    const second = await watchAll(hub, [run('c'), run('b')], { viewer });
    await allCaughtUp(viewer, 4);
    expect(viewer.names('run:b').filter((name) => /custom|run/.test(name))).toEqual([
      'run.started 1',
      'custom 2',
      'custom 3',
    ]);
    expect(viewer.names('run:c').filter((name) => /custom|run/.test(name))).toEqual(['run.started 1', 'custom 2']);
    second.sink.vanish();
    // Left out once, it is one that the cursor does not know.
    await watchAll(hub, [run('b'), run('a'), run('c')], { viewer });
    await allCaughtUp(viewer, 7);
    expect(viewer.names('run:a').filter((name) => name === 'run.started 1')).toHaveLength(2);
    expect(viewer.names('run:b').filter((name) => name === 'run.started 1')).toHaveLength(1);
    expect(told(viewer, 'stream.reset')).toEqual([]);
  });

  test('those without a position begin where from says', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    for (const id of ['a', 'b']) await append(log, id, [START, custom(2), custom(3)]);
    const viewer = new ManyViewer();
    const first = await watchAll(hub, [run('a')], { viewer, from: 'now' });
    await allCaughtUp(viewer, 1);
    first.sink.vanish();
    await append(log, 'a', [custom(4)]);
    await watchAll(hub, [run('a'), run('b')], { viewer, from: -1 });
    await allCaughtUp(viewer, 3);
    expect(viewer.names('run:a').filter((name) => /custom/.test(name))).toEqual(['custom 4']);
    expect(viewer.names('run:b').filter((name) => /custom/.test(name))).toEqual(['custom 3']);
  });

  test('from=snapshot: one for each run, and none for those that go on', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    for (const id of ['a', 'b']) await append(log, id, [START, delta(id)]);
    const viewer = new ManyViewer();
    const first = await watchAll(hub, [run('a')], { viewer, from: 'snapshot' });
    await allCaughtUp(viewer, 1);
    first.sink.vanish();
    await watchAll(hub, [run('a'), run('b')], { viewer, from: 'snapshot' });
    await allCaughtUp(viewer, 3);
    expect(told(viewer, 'stream.snapshot').map(({ runId, seq }) => `${runId} ${seq}`)).toEqual(['a 2', 'b 2']);
    expect(viewer.names('run:b')).toEqual(['stream.hello -', 'stream.snapshot 2', 'stream.caught-up -']);
  });
});

describe('a stream that cannot be had or followed', () => {
  test('is refused alone, and counts as one that is over', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    await append(log, 'a', [START]);
    const { viewer, sink } = await watchAll(hub, [run('none', 'a'), thread('gone'), run('a')]);
    await allCaughtUp(viewer, 1);
    expect(told(viewer, 'stream.refused')).toEqual([
      { stream: 'run:none', code: 'run_not_found', detail: 'There is no run none.' },
      { stream: 'thread:gone', code: 'thread_not_found', detail: 'There is no thread gone.' },
    ]);
    await append(log, 'a', [END]);
    await until(() => sink.closed);
    expect(viewer.ended).toBe(true);
    expect((await watchAll(hub, [run('none', 'a'), run('a')], { viewer })).outcome).toBe('over');
    expect(hub.threads).toBe(0);
  });

  test('is reset alone; a cursor that is none at all resets all', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    for (const id of ['a', 'b', 'c']) await append(log, id, [START, custom(2)]);
    const epoch = async (id: string) => digest((await log.head(id))!.epoch);
    const part = async (id: string, seq: number, of = id) =>
      formatPart({ key: streamKey(`run:${id}`), epoch: await epoch(of), seq });
    const streams = [run('a'), run('b'), run('c')];
    const resets = async (cursor: string) => {
      const viewer = new ManyViewer();
      viewer.cursor = cursor;
      const { sink } = await watchAll(hub, streams, { viewer });
      await allCaughtUp(viewer, 3);
      sink.vanish();
      const again = new ManyViewer();
      again.cursor = viewer.cursor;
      await watchAll(hub, streams, { viewer: again });
      await allCaughtUp(again, 3);
      expect(told(again, 'stream.reset')).toEqual([]);
      return told(viewer, 'stream.reset').map(({ stream, reason }) => `${stream} ${reason}`);
    };
    expect(await resets(`${await part('a', 1)}${await part('b', 2, 'a')}${await part('c', 2)}`)).toEqual([
      'run:b unknown_epoch',
    ]);
    expect(await resets(`${await part('a', 1)}${await part('b', 3)}`)).toEqual(['run:b ahead_of_tail']);
    const all = ['run:a malformed', 'run:b malformed', 'run:c malformed'];
    for (const cursor of ['garbage', `${(await log.head('a'))!.epoch}.1`, `${await part('a', 1)}~`]) {
      expect(await resets(cursor)).toEqual(all);
    }
  });
});

test('a log that loses its end in the middle is told of for its own stream, which a reconnect goes on after', async () => {
  const memory = openMemory();
  const forking = new ForkingLog();
  const logOf = (threadId: string) => (threadId === 't' ? forking.log : memory);
  const log: Log = {
    ...memory,
    durability: 'memory',
    head: (threadId) => logOf(threadId).head(threadId),
    read: (threadId, ...rest) => logOf(threadId).read(threadId, ...rest),
    follow: (threadId, listener) => logOf(threadId).follow(threadId, listener),
  };
  const hub = hubOn(log, { latenessMs: 20 });
  await append(memory, 'a', [START]);
  for (let i = 0; i < 5; i++) forking.append();
  const { viewer, sink } = await watchAll(hub, [thread('t'), run('a')]);
  await allCaughtUp(viewer, 2);
  forking.fork(3);
  forking.append();
  await until(() => viewer.names('thread:t').at(-1) === 'custom 4');
  await append(memory, 'a', [custom(2)]);
  await until(() => viewer.names('run:a').at(-1) === 'custom 2');
  expect(told(viewer, 'stream.reset')).toEqual([
    { stream: 'thread:t', reason: 'diverged', earliest: 1, latest: 4, shared: 3, after: 3 },
  ]);
  sink.vanish();
  const again = new ManyViewer();
  again.cursor = viewer.cursor;
  await watchAll(hub, [thread('t'), run('a')], { viewer: again });
  await allCaughtUp(again, 2);
  expect(again.frames.every(({ event }) => event === 'stream.hello' || event === 'stream.caught-up')).toBe(true);
});

test('a page that is on its way holds back what came since: the log may change before it is read', async () => {
  const memory = openMemory();
  const forking = new ForkingLog();
  const hold = Promise.withResolvers<void>();
  let isHeld = false;
  let isDeaf = false;
  const log: Log = {
    ...memory,
    durability: 'memory',
    head: (threadId) => (threadId === 't' ? forking.log : memory).head(threadId),
    // What is read at the late viewer's place is read when it is released.
    read: async (threadId, after, bytes) => {
      isHeld ||= threadId === 't' && after === 7;
      if (threadId === 't' && after === 7) await hold.promise;
      return (threadId === 't' ? forking.log : memory).read(threadId, after, bytes);
    },
    follow: (threadId, listener) =>
      threadId === 't'
        ? forking.log.follow(threadId, (wake) => isDeaf || listener(wake))
        : memory.follow(threadId, listener),
  };
  const hub = hubOn(log, { latenessMs: 1e9 });
  await append(memory, 'a', [START]);
  for (let i = 0; i < 5; i++) forking.append();
  const early = await watchAll(hub, [thread('t')]);
  await allCaughtUp(early.viewer, 1);
  isDeaf = true;
  for (let i = 0; i < 2; i++) forking.append();
  isDeaf = false;
  const viewer = new ManyViewer();
  const place = (name: string, epoch: string, seq: number) =>
    formatPart({ key: streamKey(name), epoch: digest(epoch), seq });
  viewer.cursor = place('thread:t', 'e1', 7) + place('run:a', (await memory.head('a'))!.epoch, 1);
  await watchAll(hub, [thread('t'), run('a')], { viewer });
  await until(() => isHeld && viewer.names('run:a').includes('stream.caught-up -'));
  forking.append();
  await until(() => early.viewer.names('thread:t').includes('custom 8'));
  // Event 8 is at hand when this one is sent; taken, it would move the viewer beyond the place that the page is read for.
  await append(memory, 'a', [custom(2)]);
  await until(() => viewer.names('run:a').includes('custom 2'));
  forking.fork(7);
  forking.append();
  hold.resolve();
  await until(() => viewer.names('thread:t').includes('stream.caught-up -'));
  expect(viewer.names('thread:t')).toEqual(['stream.hello -', 'custom 8', 'stream.caught-up -']);
  expect(viewer.streams.get('thread:t')!.cursor).toBe('e2.8');
});

describe('one sink', () => {
  test('what all streams have in one turn goes out in one write, and a heartbeat names all tails', async () => {
    const log = openMemory();
    const hub = hubOn(log, { heartbeatMs: 50 });
    const ids = ['a', 'b', 'c'];
    for (const id of ids) await append(log, id, [START]);
    const { viewer, sink } = await watchAll(
      hub,
      ids.map((id) => run(id)),
    );
    await allCaughtUp(viewer, 3);
    const before = sink.writes;
    await Promise.all(ids.map((id) => append(log, id, [custom(2)])));
    await until(() => ids.every((id) => viewer.names(`run:${id}`).includes('custom 2')));
    expect(sink.writes).toBe(before + 1);
  });

  test('a long history holds another stream back for two pages at most, and a full sink is given nothing', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    await append(log, 'live', [START]);
    await append(log, 'long', [START]);
    for (let i = 0; i < 40; i++)
      await append(
        log,
        'long',
        Array.from({ length: 4 }, () => custom('x'.repeat(30_000))),
      );
    const viewer = new ManyViewer();
    const { sink } = await watchAll(hub, [run('long'), run('live')], { viewer, room: 1 });
    await until(() => {
      sink.drain();
      return viewer.names('run:live').includes('stream.caught-up -');
    });
    const seen = () => viewer.streams.get('run:long')!.events.length;
    let most = 0;
    for (let n = 2; n < 12; n++) {
      await append(log, 'live', [custom(n)]);
      const [writes, before] = [sink.writes, seen()];
      await until(() => {
        sink.drain();
        return viewer.names('run:live').includes(`custom ${n}`);
      });
      // What the sink had already, and the write that it came in.
      expect(sink.writes - writes).toBeLessThanOrEqual(2);
      most = Math.max(most, seen() - before);
    }
    expect(seen()).toBeLessThan(161);
    expect(most).toBeGreaterThan(0);
    expect(sink.mostUnread).toBeLessThan(2 * 256 * 1024 + 40_000);
  });

  test('long histories take turns, and a write is less than two pages whatever is at hand', async () => {
    const log = openMemory();
    const hub = hubOn(log);
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const big = Array.from({ length: 8 }, () => custom('x'.repeat(30_000)));
    for (const id of ids) {
      await append(log, id, [START]);
      for (let i = 0; i < 4; i++) await append(log, id, big);
    }
    const viewer = new ManyViewer();
    const { sink } = await watchAll(
      hub,
      ids.map((id) => run(id)),
      { viewer, room: 1 },
    );
    const seen = () => ids.map((id) => viewer.streams.get(`run:${id}`)!.events.length);
    let widest = 0;
    const drainTo = (count: number) =>
      until(() => {
        sink.drain();
        widest = Math.max(widest, Math.max(...seen()) - Math.min(...seen()));
        return Math.min(...seen()) === count;
      });
    await drainTo(33);
    // Nobody is further than two pages ahead of another.
    expect(widest).toBeLessThanOrEqual(17);
    await until(() => viewer.frames.filter(({ event }) => event === 'stream.caught-up').length === 6);
    for (const id of ids) await append(log, id, big);
    await drainTo(41);
    expect(sink.mostUnread).toBeLessThan(2 * 256 * 1024 + 20_000);
  });
});
