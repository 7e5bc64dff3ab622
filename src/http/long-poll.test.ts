/** Pages that wait for their first event: the stream's promises for whoever cannot have a stream (P7, P8). */
import { afterEach, describe, expect, test } from 'vitest';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { type RecordedViewer, Recording, until } from '../hub/recording.fixture.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { type TelltaleEvent, writeFrame } from '../protocol/index.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';

interface Answer {
  readonly events: readonly TelltaleEvent[];
  readonly cursor: string;
  readonly more: boolean;
  readonly ended?: boolean;
}

let server: StreamServer;
afterEach(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

/** A log that counts what is asked of it, and can lose its wake-ups. */
function watched(wakes = true) {
  const memory = openMemory();
  const counts = { reads: 0, followers: 0 };
  const log: Log = Object.assign(Object.create(memory) as Log, {
    read: (...args: Parameters<Log['read']>) => {
      counts.reads++;
      return memory.read(...args);
    },
    follow: async (...[threadId, listener]: Parameters<Log['follow']>) => {
      const stop = await memory.follow(threadId, wakes ? listener : () => {});
      counts.followers++;
      return () => {
        counts.followers--;
        stop();
      };
    },
  });
  for (const name of ['append', 'head', 'close'] as const) {
    Object.assign(log, { [name]: memory[name].bind(memory) });
  }
  return { log, counts };
}

const poll = async (
  path: string,
  after: string,
  { wait = 30, signal }: { wait?: number; signal?: AbortSignal } = {},
) => {
  const url = `${server.url}/v1/${path}/events?wait=${wait}&limit=7&after=${after}`;
  const response = await fetch(url, { ...(signal && { signal }) });
  expect(response.status).toBe(200);
  return (await response.json()) as Answer;
};
const tail = async (threadId: string) => {
  const { epoch, last } = (await server.log.head(threadId))!;
  return `${epoch}.${last}`;
};
const waits = (count = 1) => until(() => server.hub.waiters === count, `${count} polls that wait`);

describe('a page that waits', () => {
  test('answers with the first event, as soon as it is there, and at once where there is one', async () => {
    server = await streamServer();
    await append(server.log, 'r', [START]);
    const answer = poll('runs/r', await tail('r'));
    await waits();
    await append(server.log, 'r', [custom(1), custom(2)]);
    const { events, ...rest } = await answer;
    expect(events.map(({ seq }) => seq)).toEqual([2, 3]);
    expect(rest).toEqual({ cursor: await tail('r'), more: false, ended: false });
    const { epoch } = (await server.log.head('r'))!;
    expect((await poll('runs/r', `${epoch}.1`)).events).toHaveLength(2);
  });

  test('answers empty when its time is over', async () => {
    server = await streamServer();
    await append(server.log, 'r', [START]);
    const cursor = await tail('r');
    const start = performance.now();
    expect(await poll('runs/r', cursor, { wait: 1 })).toEqual({ events: [], cursor, more: false, ended: false });
    expect(performance.now() - start).toBeGreaterThan(950);
    await until(() => server.hub.threads === 0);
  });

  test('answers with the end of the run, and never waits behind it', async () => {
    server = await streamServer();
    await append(server.log, 'r', [START]);
    const answer = poll('runs/r', await tail('r'));
    await waits();
    await append(server.log, 'r', [END]);
    expect(await answer).toMatchObject({ events: [{ type: 'run.completed' }], ended: true, more: false });
    expect(await poll('runs/r', await tail('r'))).toMatchObject({ events: [], ended: true });
  });

  test('of a run is not woken by others in its thread; of a thread it is', async () => {
    server = await streamServer();
    await append(server.log, 'a', [START], 't');
    await append(server.log, 'b', [START], 't');
    const cursor = await tail('t');
    const run = poll('runs/a', cursor);
    const thread = poll('threads/t', cursor);
    await waits(2);
    await append(server.log, 'b', [custom(1)], 't');
    expect((await thread).events).toMatchObject([{ seq: 3, runId: 'b' }]);
    await append(server.log, 'b', [custom(2)], 't');
    expect(server.hub.waiters).toBe(1);
    await append(server.log, 'a', [custom(3)], 't');
    expect(await run).toMatchObject({ events: [{ seq: 5, runId: 'a' }], cursor: await tail('t'), ended: false });
  });

  test('HEAD does not wait', async () => {
    server = await streamServer();
    await append(server.log, 'r', [START]);
    const url = `${server.url}/v1/runs/r/events?wait=60&after=${await tail('r')}`;
    expect((await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5000) })).status).toBe(200);
  });

  test('comes within the bound although every wake-up is lost', async () => {
    server = await streamServer({ latenessMs: 200 }, watched(false).log);
    await append(server.log, 'r', [START]);
    const answer = poll('runs/r', await tail('r'));
    await waits();
    await append(server.log, 'r', [custom(1)]);
    const start = performance.now();
    expect((await answer).events).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('nothing is left behind: not by clients that go away, nor by a server that closes', async () => {
    const { log, counts } = watched();
    server = await streamServer({}, log);
    await append(log, 'r', [START]);
    const cursor = await tail('r');
    const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;
    const before = timers();
    const leave = new AbortController();
    const left = Array.from({ length: 20 }, () => poll('runs/r', cursor, { signal: leave.signal }).catch(() => 'left'));
    await waits(20);
    expect(timers()).toBeGreaterThan(before);
    leave.abort();
    await Promise.all(left);
    await until(() => server.hub.waiters === 0 && server.hub.threads === 0, 'no polls');
    expect(counts.followers).toBe(0);

    const answers = Array.from({ length: 20 }, () => poll('runs/r', cursor));
    await waits(20);
    await server.hub.close();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ events: [], cursor });
    await until(() => server.hub.threads === 0);
    expect([counts.followers, server.hub.waiters]).toEqual([0, 0]);
    expect(await poll('runs/r', cursor)).toMatchObject({ events: [] });
  });

  test('a thousand polls of one run are answered from memory: no read of the log for each', async () => {
    const { log, counts } = watched();
    server = await streamServer({}, log);
    await append(log, 'r', [START]);
    const cursor = await tail('r');
    const answers = Array.from({ length: 1000 }, () => poll('runs/r', cursor));
    await waits(1000);
    const { reads } = counts;
    await append(log, 'r', [custom(1)]);
    for (const { events } of await Promise.all(answers)) expect(events).toHaveLength(1);
    expect(counts.reads - reads).toBeLessThan(5);
  }, 60_000);
});

/** Polls to the end, and goes away in the middle of some polls, whether or not they are being answered. */
async function pollToEnd(viewer: RecordedViewer, path: string, random: () => number): Promise<void> {
  for (let ended = false; !ended; ) {
    const leave = new AbortController();
    if (random() < 0.3) setTimeout(() => leave.abort(), random() * 8);
    viewer.connected();
    try {
      const page = await poll(path, viewer.cursor ?? '', { signal: leave.signal });
      for (const event of page.events) {
        const id = `${event.epoch}.${event.seq}`;
        viewer.feed(writeFrame({ id, event: event.type, data: JSON.stringify(event) }));
      }
      viewer.cursor = page.cursor;
      ended = page.ended === true;
    } catch {
      if (!leave.signal.aborted) throw new Error('a poll failed');
    } finally {
      viewer.disconnected();
    }
  }
  viewer.complete();
}

describe('a poll of a run that is deleted (P7, P8)', () => {
  const gone = async () => {
    await append(server.log, 'gone', [START], 't');
    return `${server.url}/v1/runs/gone/events?wait=30&after=${await tail('t')}`;
  };
  const erase = async () => {
    await append(server.log, 'gone', [END], 't');
    await server.log.retention.erase('gone');
  };

  test('is answered 410 while it waits', async () => {
    server = await streamServer();
    const waiting = fetch(await gone());
    await until(() => server.hub.waiters === 1);
    // In one turn: it has no chance to be given the end.
    await erase();
    expect((await waiting).status).toBe(410);
  });

  test('is answered 410 where it was about to wait', async () => {
    const memory = openMemory();
    let isFound = false;
    const log: Log = Object.assign(Object.create(memory) as Log, {
      follow: async (...args: Parameters<Log['follow']>) => {
        // Between the page that was empty and the wait for more of it.
        if (isFound) {
          isFound = false;
          await erase();
        }
        return memory.follow(...args);
      },
    });
    for (const name of ['append', 'head', 'read', 'close'] as const)
      Object.assign(log, { [name]: memory[name].bind(memory) });
    server = await streamServer({}, log);
    const url = await gone();
    isFound = true;
    expect((await fetch(url)).status).toBe(410);
    expect(server.hub.threads).toBe(0);
  });

  test('of its thread goes on over the void', async () => {
    server = await streamServer();
    await gone();
    const waiting = poll('threads/t', await tail('t'));
    await until(() => server.hub.waiters === 1);
    await erase();
    await append(server.log, 'kept', [START], 't');
    const { events, cursor } = await waiting;
    expect([events.map(({ runId, seq }) => [runId, seq]), cursor]).toEqual([[['kept', 3]], await tail('t')]);
  });
});

test('polls that are broken off at random receive a busy run exactly once, in order', async () => {
  server = await streamServer({ windowBytes: 4000 });
  const recording = new Recording();
  const seed = Date.now() >>> 0;
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const say = async (...drafts: Parameters<typeof append>[2][number][]) =>
    recording.acked(server.log, 'r', await append(server.log, 'r', drafts));
  await say(START);
  const { epoch } = (await server.log.head('r'))!;
  const viewers = Array.from({ length: 6 }, (_, i) => recording.viewer(`v${i}`));
  const polling = viewers.map((viewer) => {
    viewer.cursor = `${epoch}.0`;
    return pollToEnd(viewer, 'runs/r', random);
  });
  for (let n = 0; n < 400; n++) {
    await say(custom(n), ...(random() < 0.2 ? [custom('more'), custom('x'.repeat(3000))] : []));
    await new Promise((resolve) => (random() < 0.5 ? setImmediate(resolve) : setTimeout(resolve, random() * 4)));
  }
  await say(END);
  await Promise.all(polling);
  expect(checkHistory(recording.records), `seed ${seed}`).toEqual([]);
}, 60_000);
