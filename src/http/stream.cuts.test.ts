/** Streams over connections that break: whatever is cut where, every event comes once and in order (P7). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, Recording, until } from '../hub/recording.fixture.ts';
import { emptySnapshot, type RunSnapshot, reduce, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { type Fault, faultyProxy } from '../testing/faulty-proxy.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';
import { connectToEnd } from './stream-client.fixture.ts';

let server: StreamServer;

beforeAll(async () => {
  server = await streamServer();
});

afterAll(async () => {
  await until(() => server.hub.viewers === 0);
  expect(server.errors).toEqual([]);
  await server.close();
});

/** One more way to break a stream for each connection, from a seed that a failure names. */
function randomFaults(seed: number, cuts: number): (connection: number) => Fault {
  let state = seed >>> 0;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return (connection) => {
    const cutBy = random(2) ? 'fin' : 'reset';
    const cutAfter = 1 + random(2500);
    const slow = [{}, { trickle: 40 }, { delayMs: 2 }][random(3)];
    return connection < cuts ? { cutAfter, cutBy, ...slow } : {};
  };
}

/** How long an answer is with its head, and its head alone. */
async function bytesOf(url: string): Promise<{ bytes: number; head: number }> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  await once(socket, 'close');
  return { bytes: text.length, head: text.indexOf('\r\n\r\n') + 4 };
}

test('cut at every byte of a stream, and resumed: each event once, in order', async () => {
  await append(server.log, 'bytes', [START, custom('é\u2028'), delta('x'), END]);
  const path = '/v1/runs/bytes/stream';
  const { bytes, head } = await bytesOf(server.url + path);
  expect(bytes - head).toBeGreaterThan(700);
  const failed: unknown[] = [];
  let cuts = 0;

  async function cutAll(from: number, step: number): Promise<void> {
    let fault: Fault = {};
    const proxy = await faultyProxy(server.url, () => {
      const now = fault;
      fault = {};
      return now;
    });
    for (let cutAfter = from; cutAfter < bytes; cutAfter += step) {
      fault = { cutAfter, cutBy: cutAfter % 8 < 4 ? 'fin' : 'reset' };
      const viewer = new RecordedViewer('v');
      let connections = 0;
      await connectToEnd(viewer, proxy.url + path, () => connections++);
      const ids = viewer.events.map(({ id }) => id?.split('.')[1]).join();
      // All was there at the first connection but what tells the end, or at the second.
      if (ids !== '1,2,3,4' || connections > 2) failed.push({ cutAfter, ids, connections });
      cuts += connections - 1;
    }
    await proxy.close();
  }
  await Promise.all([0, 1, 2, 3].map((from) => cutAll(head + from, 4)));
  expect(failed).toEqual([]);
  expect(cuts).toBeGreaterThan((bytes - head) * 0.95);
}, 60_000);

test('twenty viewers with filters of all kinds, cut at random while the run goes on', async () => {
  const seed = Date.now();
  const recording = new Recording();
  const say = async (...drafts: Parameters<typeof append>[2][number][]) =>
    recording.acked(server.log, 'live', await append(server.log, 'live', drafts));
  await say(START);
  const queries = ['', '?types=custom', '?types=message.*&events=message', '?types=tool.*'].map(
    (query) => `${query}${query ? '&' : '?'}coalesce=off`,
  );
  const wanted = [/./, /^custom$|^run\.completed$/, /^message\.|^run\.completed$/, /^tool\.|^run\.completed$/];
  const views = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`v${i}`, ({ type }: { type: string }) => wanted[i % 4]!.test(type)]),
  );
  const proxies = await Promise.all(
    Array.from({ length: 20 }, (_, i) => faultyProxy(server.url, randomFaults(seed + i, 8))),
  );
  const watching = proxies.map(async (proxy, i) => {
    const viewer = recording.viewer(`v${i}`);
    await connectToEnd(viewer, `${proxy.url}/v1/runs/live/stream${queries[i % 4]}`);
    viewer.complete();
  });
  for (let n = 0; n < 300; n++) {
    await say(n % 5 ? delta('some words '.repeat(n % 7)) : custom(n), ...(n % 11 ? [] : [custom('more')]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await say(END);
  await Promise.all(watching);
  expect(checkHistory(recording.records, { views }), `seed ${seed}`).toEqual([]);
  expect(proxies.reduce((sum, { connections }) => sum + connections, 0)).toBeGreaterThan(80);
  await Promise.all(proxies.map((proxy) => proxy.close()));
}, 60_000);

test('viewers of merged deltas, cut at random while three agents write side by side, have the same text at the end', async () => {
  const seed = Date.now();
  const agents = ['x', 'y', 'z'].map((id) => ({ id, name: 'Writer', path: id }));
  const say = (...drafts: Parameters<typeof append>[2][number][]) => append(server.log, 'texts', drafts);
  const word = (delta: string) => ({ messageId: 'm', delta });
  await say(START);
  const queries = ['', '?coalesce=on', '?from=snapshot', '?from=snapshot&coalesce=on'];
  const proxies = await Promise.all(
    Array.from({ length: 12 }, (_, i) => faultyProxy(server.url, randomFaults(seed + i, 6))),
  );
  let frames = 0;
  const watching = proxies.map(async (proxy, i) => {
    const viewer = new RecordedViewer('v');
    await connectToEnd(viewer, `${proxy.url}/v1/runs/texts/stream${queries[i % 4]}`);
    frames += viewer.events.length;
    return viewer.frames.reduce((snapshot, { event: name, data }) => {
      if (name === 'stream.snapshot') return JSON.parse(data) as RunSnapshot;
      if (name?.startsWith('stream.')) return snapshot;
      const event = JSON.parse(data) as TelltaleEvent;
      expect(event.prev ?? event.seq - 1, `seed ${seed}`).toBe(snapshot.seq);
      expect(event.first ?? event.seq, `seed ${seed}`).toBeGreaterThan(snapshot.seq);
      return reduce(snapshot, event);
    }, emptySnapshot('texts'));
  });
  for (let n = 0; n < 200; n++) {
    const words = Array.from(
      { length: 9 },
      (_, i): Draft => ['message.delta', word(`${n}.${i} é `), agents[(n + i) % 3]!],
    );
    await say(...words, ...(n % 50 ? [] : [custom(n)]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await say(END);
  const { blocks } = await server.log.read('texts', 0, Number.POSITIVE_INFINITY);
  const events = blocks.flatMap((block) => [...block.events()]);
  const whole = reduceAll(emptySnapshot('texts'), events);
  for (const snapshot of await Promise.all(watching)) expect(snapshot, `seed ${seed}`).toEqual(whole);
  expect(frames).toBeLessThan(12 * events.length);
  await Promise.all(proxies.map((proxy) => proxy.close()));
}, 60_000);

test('npm EventSource gets every event once over cuts, and stops at the end', async () => {
  const seed = Date.now();
  const say = (...drafts: Parameters<typeof append>[2][number][]) => append(server.log, 'plain', drafts);
  await say(START, ...Array.from({ length: 40 }, (_, n) => custom(n)));
  const proxies = await Promise.all(
    Array.from({ length: 6 }, (_, i) => faultyProxy(server.url, randomFaults(seed + i, 2))),
  );
  const watching = proxies.map(async (proxy) => {
    const ids: string[] = [];
    const source = new EventSource(`${proxy.url}/v1/runs/plain/stream?events=message`);
    source.onmessage = ({ lastEventId }) => ids.push(lastEventId.split('.')[1]!);
    await until(() => source.readyState === source.CLOSED, 'EventSource to close', 50_000);
    return { ids: ids.map(Number), requests: proxy.connections };
  });
  for (let n = 41; n < 60; n++) await say(custom(n));
  await say(END);
  for (const { ids, requests } of await Promise.all(watching)) {
    expect(ids, `seed ${seed}`).toEqual(Array.from({ length: 61 }, (_, i) => i + 1));
    // Two that were cut, one that came to the end, and one that was told so.
    expect(requests, `seed ${seed}`).toBeGreaterThanOrEqual(2);
    expect(requests, `seed ${seed}`).toBeLessThanOrEqual(4);
  }
  await Promise.all(proxies.map((proxy) => proxy.close()));
}, 60_000);
