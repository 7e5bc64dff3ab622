/** Clients that share one connection, as tabs do: Node has locks and channels of its own. Each keeps every promise. */
import { afterEach, expect, test } from 'vitest';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { Recording, until } from '../hub/recording.fixture.ts';
import type { TelltaleEvent } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { checkHistory, type HistoryRecord } from '../testing/history-checker.ts';
import { type Client, createClient } from './client.ts';
import type { Run } from './run.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function start(options?: Parameters<typeof streamServer>[0]) {
  const server = await streamServer(options);
  closing.push(() => server.close());
  return server;
}

function open(url: string, tabs: string, runId = 'r'): { client: Client; run: Run } {
  const client = createClient({ url, tabs });
  closing.push(() => client.close());
  const run = client.run(runId);
  run.use();
  return { client, run };
}

const isLive = ({ run }: { run: Run }): boolean => run.getSnapshot().connection === 'live';
const allLive = (...tabs: readonly { run: Run }[]) => until(() => tabs.every(isLive), 'all to be live');

test('one connection for all who give the same identity, another for any other', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  const anns = [open(server.url, 'ann'), open(server.url, 'ann'), open(server.url, 'ann')];
  await allLive(...anns);
  expect(server.hub.viewers).toBe(1);
  const bob = open(server.url, 'bob');
  await allLive(bob);
  expect(server.hub.viewers).toBe(2);
  await append(server.log, 'r', [custom(1), END]);
  await until(() => [...anns, bob].every(({ run }) => run.getSnapshot().connection === 'closed'), 'the end');
  expect(anns.map(({ run }) => run.getSnapshot().data)).toEqual(anns.map(() => bob.run.getSnapshot().data));
  await until(() => server.hub.viewers === 0, 'the connections to close');
});

test('what one is refused, all who share it are', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  const there = open(server.url, 'ann');
  const refused = [open(server.url, 'ann', 'none'), open(server.url, 'ann', 'none')];
  await until(() => refused.every(({ run }) => run.getSnapshot().error?.code === 'run_not_found'), 'the refusals');
  expect(refused.map(({ run }) => run.getSnapshot().connection)).toEqual(['closed', 'closed']);
  await allLive(there);
});

test('a connection is kept as long as one of them is there, whoever opened it', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  const [first, second] = [open(server.url, 'ann'), open(server.url, 'ann')];
  await allLive(first, second);
  first.client.close();
  await append(server.log, 'r', [custom(1)]);
  await until(() => second.run.getSnapshot().lastSeq === 2, 'the event');
  const [third, fourth] = [open(server.url, 'ann'), open(server.url, 'ann')];
  await allLive(third, fourth);
  expect(third.run.getSnapshot().lastSeq).toBe(2);
  expect(server.hub.viewers).toBe(1);
  third.client.close();
  await append(server.log, 'r', [custom(2)]);
  await until(() => [second, fourth].every(({ run }) => run.getSnapshot().lastSeq === 3), 'the event');
  second.client.close();
  fourth.client.close();
  await until(() => server.hub.viewers === 0, 'the connection to close');
});

test('one who was taken for gone is taken in again', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  const channel = new BroadcastChannel(`telltale ${server.url}/ ann`);
  closing.push(() => channel.close());
  const joined: { stream: string; member: string }[] = [];
  channel.onmessage = ({ data }) => data.kind === 'join' && joined.push(data);
  const tab = open(server.url, 'ann');
  await allLive(tab);
  channel.postMessage({ ...joined.at(-1), kind: 'leave' });
  await until(() => server.hub.viewers === 0, 'its connection to close');
  await append(server.log, 'r', [custom(1)]);
  await until(() => tab.run.getSnapshot().lastSeq === 2 && isLive(tab), 'the event');
  expect(server.hub.viewers).toBe(1);
});

test('what a tab alone follows is told to no channel; what others follow too is', async () => {
  const server = await start();
  await append(server.log, 'r', [START, custom(1)]);
  const channel = new BroadcastChannel(`telltale ${server.url}/ ann`);
  closing.push(() => channel.close());
  const told: string[] = [];
  channel.onmessage = ({ data }) => told.push(data.kind);
  const alone = open(server.url, 'ann');
  await allLive(alone);
  await append(server.log, 'r', [custom(2)]);
  await until(() => alone.run.getSnapshot().lastSeq === 3, 'the event');
  const other = open(server.url, 'ann');
  await allLive(other);
  expect(told).toContain('joined');
  expect(told).not.toContain('frames');
  await append(server.log, 'r', [custom(3)]);
  await until(() => other.run.getSnapshot().lastSeq === 4, 'the event');
  await until(() => told.includes('frames'), 'the frames on the channel');
});

test('the tab that leads reads a history no faster than it takes it, as one stream and without pages', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  // Twice what a tab may have waiting.
  const batch = Array.from({ length: 1_000 }, (_, i) => custom(i));
  await append(server.log, 'r', batch);
  const requests: string[] = [];
  const inPieces: typeof fetch = async (input, init) => {
    requests.push(new URL(String(input)).pathname);
    const response = await fetch(input, init);
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        for (let at = 0; at < chunk.length; at += 200) controller.enqueue(chunk.subarray(at, at + 200));
      },
    });
    return new Response(response.body?.pipeThrough(cut) ?? null, response);
  };
  const client = createClient({ url: server.url, tabs: 'ann', fetch: inPieces });
  closing.push(() => client.close());
  const run = client.run('r');
  run.on('event', () => {
    // A page that has much to do with each.
    for (const start = performance.now(); performance.now() - start < 0.3; );
  });
  // It goes on: undici (Node 24) throws where a connection ends of which somebody is slow to read.
  await allLive({ run });
  expect(run.getSnapshot()).toMatchObject({ lastSeq: 1_001, resets: 0 });
  expect(requests).toEqual(['/v1/runs/r/stream']);
});

test('what other code says on the channel changes nothing', async () => {
  const server = await start();
  await append(server.log, 'r', [START]);
  const tab = open(server.url, 'ann');
  await allLive(tab);
  const channel = new BroadcastChannel(`telltale ${server.url}/ ann`);
  closing.push(() => channel.close());
  const stream = '/v1/runs/r/stream';
  for (const message of [
    'hello',
    null,
    { kind: 'frames', stream },
    { kind: 'frames', stream, frames: [{ event: 'custom', id: 'x.9', data: '{}' }], from: 'x.8', to: 'x.9' },
    { kind: 'join', stream: 'http://127.0.0.1:1/v1/runs/r/stream', member: 'm' },
    { kind: 'cut', stream: '/v1/runs/other/stream', problem: {} },
  ]) {
    channel.postMessage(message);
  }
  await append(server.log, 'r', [custom(1), END]);
  await until(() => tab.run.getSnapshot().connection === 'closed', 'the end');
  expect(tab.run.getSnapshot()).toMatchObject({ lastSeq: 3, resets: 0, error: undefined });
});

test('what does not follow on its place is read from the log, what it has already is left (P7)', async () => {
  const server = await start();
  const { epoch } = await append(server.log, 'r', [START, custom(2), custom(3)]);
  // The test leads, and tells what it likes.
  const name = `telltale ${server.url}/ ann`;
  const leading = Promise.withResolvers<void>();
  await new Promise<void>((held) => {
    void navigator.locks.request(name, () => {
      held();
      return leading.promise;
    });
  });
  const channel = new BroadcastChannel(name);
  closing.push(() => channel.close(), leading.resolve);
  const stream = '/v1/runs/r/stream';
  const tell = (kind: string, what: object = {}) => channel.postMessage({ kind, stream, ...what });
  const frames = (from: number, to: number) =>
    tell('frames', {
      from: `${epoch}.${from}`,
      to: `${epoch}.${to}`,
      frames: Array.from({ length: to - from }, (_, i) => {
        const seq = from + 1 + i;
        const data = { name: 'n', value: seq };
        const event = { seq, epoch, threadId: 'r', runId: 'r', type: 'custom', time: '2026-11-20T18:00:00.000Z', data };
        return { event: 'custom', id: `${epoch}.${seq}`, data: JSON.stringify(event) };
      }),
    });
  channel.onmessage = ({ data }) => {
    if (data.kind === 'join') tell('joined', { member: data.member, isOn: true });
    if (data.kind === 'ping') tell('pong');
  };
  const tab = open(server.url, 'ann');
  const seen: number[] = [];
  const phases = new Set<string>();
  tab.run.on('event', ({ event }) => seen.push(event.seq));
  await allLive(tab);
  tab.run.subscribe(() => phases.add(tab.run.getSnapshot().connection));
  const reaches = (seq: number) => until(() => seen.at(-1) === seq, `event ${seq}`);
  expect(seen).toEqual([1, 2, 3]);
  await append(server.log, 'r', [custom(4), custom(5), custom(6)]);
  frames(3, 4);
  await reaches(4);
  frames(5, 6);
  await reaches(6);
  await append(server.log, 'r', [custom(7), custom(8), custom(9)]);
  frames(4, 8);
  await reaches(9);
  frames(2, 9);
  frames(9, 10);
  await reaches(10);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect([...phases].filter((it) => it !== 'live' && it !== 'catching-up')).toEqual([]);
});

test('a network that breaks, leaders that leave, others that come late: each has each event once, and nothing else (P7)', async () => {
  const server = await start({ heartbeatMs: 100 });
  const proxy = await faultyProxy(server.url, (n) =>
    n % 3 === 2 ? { cutAfter: 1500 + n * 300, cutBy: n % 2 ? 'reset' : 'fin' } : {},
  );
  closing.push(() => proxy.close());
  const recording = new Recording();
  const store = async (...drafts: Draft[]) => recording.acked(server.log, 'r', await append(server.log, 'r', drafts));
  await store(START, ...Array.from({ length: 30 }, (_, i) => custom(i)));
  let count = 0;
  const viewers = new Map<string, { client: Client; run: Run; seen: TelltaleEvent[] }>();
  const join = (): void => {
    const viewer = `viewer ${++count}`;
    const { client, run } = open(proxy.url, 'ann');
    const seen: TelltaleEvent[] = [];
    const record = (what: object) =>
      recording.records.push({ at: performance.now(), viewer, ...what } as HistoryRecord);
    record({ what: 'connected', from: 0 });
    run.on('event', ({ event: { prev: _, ...event } }) => {
      const { epoch, seq, type, runId } = event;
      seen.push(event as TelltaleEvent);
      record({ what: 'delivered', event: { epoch, seq, type, runId, content: JSON.stringify(event) } });
    });
    viewers.set(viewer, { client, run, seen });
  };
  for (let i = 0; i < 4; i++) join();
  for (let i = 0; i < 60; i++) {
    await store(custom(`${i}`), custom('é'.repeat(i)));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (i % 15 === 14) proxy.cutAll();
    if (i % 20 === 10) join();
    if (i % 20 !== 15) continue;
    // Whoever has been there for longest leads, or is next in line to.
    const [name, { client }] = [...viewers][0] as [string, { client: Client }];
    client.close();
    viewers.delete(name);
  }
  await store(delta('the end'), END);
  const { cursor: _, ...snapshot } = await createClient({ url: server.url }).snapshot('r');
  for (const [viewer, { run }] of viewers) {
    await until(() => run.getSnapshot().connection === 'closed', `the end of ${viewer}`, 20_000);
    expect(run.getSnapshot().data).toEqual(snapshot);
    recording.records.push({ at: performance.now(), what: 'complete', viewer });
  }
  expect(checkHistory(recording.records)).toEqual([]);
  expect(server.errors).toEqual([]);
}, 60_000);
