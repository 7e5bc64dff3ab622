/** `GET /v1/stream`: several streams on one connection, over real sockets that break (P4, P7). */
import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, custom, delta, END, START } from '../hub/drafts.fixture.ts';
import { ManyRecording, ManyViewer, ofStream } from '../hub/many-viewer.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';
import { connectOnce, get, read } from './stream-client.fixture.ts';

let server: StreamServer;

beforeAll(async () => {
  server = await streamServer({ heartbeatMs: 200 });
  await append(server.log, 'one', [START, custom('é'), END]);
  await append(server.log, 'two', [START, delta('x'), delta('y'), END]);
  await append(server.log, 'open', [START]);
});

afterAll(async () => {
  await until(() => server.hub.viewers === 0 && server.hub.threads === 0);
  expect(server.errors).toEqual([]);
  await server.close();
});

const problem = async (query: string) => {
  const answer = await get(`${server.url}/v1/stream${query}`);
  const { code } = JSON.parse(await read(answer)) as { code: string };
  return [answer.statusCode, code];
};

describe('GET /v1/stream', () => {
  test.each([
    '',
    '?run=',
    '?run=a%2Fb',
    '?thread=..',
    '?run=one&run=one',
    '?run=one&thread=open&from=snapshot',
    '?run=one&color=blue',
    '?run=one&from=now&from=now',
    `?${Array.from({ length: 17 }, (_, n) => `run=r${n}`).join('&')}`,
  ])('%s is refused before a stream opens: 400', async (query) => {
    expect(await problem(query)).toEqual([400, 'invalid_request']);
  });

  test('is 404 only where nothing of what is named is there; else what is not is refused inside it', async () => {
    expect(await problem('?run=none&thread=gone')).toEqual([404, 'thread_not_found']);
    const answer = await get(`${server.url}/v1/stream?run=one&run=none&run=two`);
    const text = await read(answer);
    expect(answer.statusCode).toBe(200);
    expect(text).toContain('event: stream.refused\ndata: {"stream":"run:none","code":"run_not_found",');
    expect(text.match(/^event: run\.completed$/gm)).toHaveLength(2);
    expect(text).toMatch(/event: stream\.bye\ndata: \{"reason":"ended"\}\n\n$/);
    const lastId = [...text.matchAll(/^id: (.*)$/gm)].at(-1)![1]!;
    const over = await get(`${server.url}/v1/stream?run=two&run=one&run=none`, {
      headers: { 'last-event-id': lastId },
    });
    expect(over.statusCode).toBe(204);
    over.resume();
  });

  test('takes two names with one key for a mistake, since its cursor could not tell them apart', async () => {
    // Found by trying: their FNV-1a, folded to 30 bits, is the same.
    expect(await problem('?run=r100922&run=r277339')).toEqual([400, 'invalid_request']);
  });

  test('applies filters, merging and names alike to all, and HEAD opens nothing', async () => {
    const text = async (query: string) => read(await get(`${server.url}/v1/stream?run=one&run=two${query}`));
    const names = async (query: string) =>
      [...(await text(query)).matchAll(/^event: ([^s].*)$/gm)].map(([, name]) => name);
    expect(await names('&types=custom')).toEqual(['custom', 'run.completed', 'run.completed']);
    expect(await names('&types=message.*')).toEqual(['run.completed', 'message.delta', 'run.completed']);
    expect(await names('&types=message.*&coalesce=off')).toHaveLength(4);
    expect(await names('&events=message')).toEqual([]);
    expect(await text('&padding=100')).toMatch(/^: connected\n\n: {101}\n\n/);
    expect((await text('&from=snapshot')).match(/^event: stream\.snapshot$/gm)).toHaveLength(2);
    const head = await get(`${server.url}/v1/stream?run=open`, { method: 'HEAD' });
    expect([head.statusCode, server.hub.viewers]).toEqual([200, 0]);
    head.resume();
  });

  test('a heartbeat names the tails, as a cursor', async () => {
    const answer = await get(`${server.url}/v1/stream?run=open&thread=one`);
    let text = '';
    answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    await until(
      () => /^: heartbeat ~\S{10}\.1~\S{10}\.3$/m.test(text) || /^: heartbeat ~\S{10}\.3~\S{10}\.1$/m.test(text),
    );
    answer.destroy();
  });
});

/** Connects until the end, each time with the last id alone. */
async function connectToEnd(viewer: ManyViewer, url: string, threads: Readonly<Record<string, string>>) {
  let connections = 0;
  for (let status = 0; !viewer.ended && status !== 204; connections++) {
    const client = {
      get cursor() {
        return viewer.cursor;
      },
      connected: () => viewer.connected(threads),
      feed: (text: string) => viewer.feed(text),
      disconnected: () => viewer.disconnected(),
    };
    status = await connectOnce(client, url);
    if (![0, 200, 204].includes(status)) throw new Error(`Status ${status}`);
  }
  return connections;
}

test('cut at every byte, and resumed with the last id alone: each event of each stream once, in order', async () => {
  const query = '/v1/stream?run=one&run=two&coalesce=off';
  const threads = { 'run:one': 'one', 'run:two': 'two' };
  const whole = await read(await get(server.url + query));
  const head = 400;
  const failed: unknown[] = [];
  let cuts = 0;
  async function cutAll(from: number, step: number): Promise<void> {
    let cut: number | undefined;
    const proxy = await faultyProxy(server.url, () => {
      const fault = cut === undefined ? {} : ({ cutAfter: cut, cutBy: cut % 8 < 4 ? 'fin' : 'reset' } as const);
      cut = undefined;
      return fault;
    });
    for (let at = from; at < Buffer.byteLength(whole) + head; at += step) {
      cut = at;
      const viewer = new ManyViewer();
      const connections = await connectToEnd(viewer, proxy.url + query, threads);
      cuts += connections - 1;
      const events = (name: string) =>
        viewer.streams
          .get(name)!
          .events.map(({ id }) => id!.split('.')[1])
          .join();
      const seen = [events('run:one'), events('run:two')];
      if (seen.join(' ') !== '1,2,3 1,2,3,4') failed.push({ at, seen });
    }
    await proxy.close();
  }
  await Promise.all([0, 1, 2, 3].map((from) => cutAll(head + from, 4)));
  expect(failed).toEqual([]);
  expect(cuts).toBeGreaterThan(Buffer.byteLength(whole) * 0.8);
}, 60_000);

test('sixteen runs, cut at random while they go on: each event once; and npm EventSource stops at the end', async () => {
  let state = Date.now() >>> 0;
  const seed = state;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const recording = new ManyRecording();
  const ids = Array.from({ length: 16 }, (_, n) => `many${n}`);
  const say = async (id: string, ...drafts: Parameters<typeof append>[2][number][]) =>
    recording.of(id).acked(server.log, id, await append(server.log, id, drafts));
  for (const id of ids) await say(id, START, ...Array.from({ length: random(20) }, (_, n) => custom(n)));
  const query = `/v1/stream?${ids.map((id) => `run=${id}`).join('&')}`;
  const threads = Object.fromEntries(ids.map((id) => [`run:${id}`, id]));
  // The last is for EventSource, which waits for some seconds each time.
  const proxies = await Promise.all(
    [8, 8, 8, 2].map((most) =>
      faultyProxy(server.url, (n) =>
        n < most ? { cutAfter: 1 + random(12_000), cutBy: random(2) ? 'fin' : 'reset' } : {},
      ),
    ),
  );
  const watching = proxies.slice(0, 3).map(async (proxy, i) => {
    const viewer = new ManyViewer(`v${i}`, recording);
    await connectToEnd(viewer, `${proxy.url}${query}&coalesce=off`, threads);
    viewer.complete();
  });
  const seen = new Map<string, number[]>(ids.map((id) => [id, []]));
  const source = new EventSource(`${proxies[3]!.url}${query}&events=message&coalesce=off`);
  source.onmessage = ({ data }) => {
    const { runId, seq } = JSON.parse(data) as { runId: string; seq: number };
    seen.get(runId)!.push(seq);
  };
  for (let n = 0; n < 400; n++) {
    await say(ids[random(16)]!, custom(n), ...(n % 5 ? [] : [custom('z'.repeat(random(500)))]));
    if (n % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const id of ids) await say(id, END);
  await Promise.all(watching);
  expect(recording.findings(ofStream), `seed ${seed}`).toEqual([]);
  await until(() => source.readyState === source.CLOSED, 'EventSource to close', 50_000);
  for (const [id, numbers] of seen) {
    const { last } = (await server.log.head(id))!;
    expect(numbers, `seed ${seed}`).toEqual(Array.from({ length: last }, (_, i) => i + 1));
  }
  expect(proxies[0]!.connections).toBeGreaterThan(4);
  await Promise.all(proxies.map((proxy) => proxy.close()));
}, 60_000);
