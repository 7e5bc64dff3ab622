import { expect, test, vi } from 'vitest';
import { type StreamServer, streamServer } from '../../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import type { RunSnapshot } from '../../protocol/index.ts';
import { clientOf, closing } from '../client.fixture.ts';
import type { Client } from '../index.ts';
import { caughtUp, hello, play, serve, started } from '../scripted.fixture.ts';
import { Replay, type ReplayView } from './index.ts';

const many = (count: number, draft: (i: number) => Draft = custom): Draft[] =>
  Array.from({ length: count }, (_, i) => draft(i));

async function server(): Promise<StreamServer & { readonly client: Client }> {
  const it = await streamServer();
  closing.push(() => it.close());
  return { ...it, client: clientOf(it.url) };
}

/** Open, and closed after the test. */
function replayOf(client: Client, runId = 'r'): Replay {
  const replay = new Replay(client.run(runId, { from: 'snapshot' }));
  closing.push(() => replay.close());
  replay.open();
  return replay;
}

const has = (replay: Replay, fits: (view: ReplayView) => boolean): Promise<void> =>
  until(() => fits(replay.getSnapshot()), JSON.stringify(replay.getSnapshot()));
const foldOf = async (url: string, runId: string): Promise<RunSnapshot> => {
  const { cursor: _, ...snapshot } = await (await fetch(`${url}/v1/runs/${runId}`)).json();
  return snapshot;
};

test('reads all of a run that has ended, tells how far it is, and is the same as the server at its end', async () => {
  const { url, log, client } = await server();
  await append(log, 'r', [START, ...many(900)]);
  await append(log, 'r', [...many(900, (i) => delta(`${i} `)), ['message.completed', { messageId: 'm' }]]);
  await append(log, 'r', [...many(700), END]);
  const replay = replayOf(client);
  const told: ReplayView[] = [];
  replay.subscribe(() => told.push(replay.getSnapshot()));
  await has(replay, (it) => it.isComplete);
  expect(replay.getSnapshot()).toMatchObject({ first: 1, last: 2_503, loaded: 2_503, total: 2_503, isLoading: false });
  expect(told.map(({ loaded }) => loaded).every((it, i, all) => it >= (all[i - 1] ?? 0))).toBe(true);
  expect(replay.at(2_503)).toEqual(await foldOf(url, 'r'));
  expect(replay.at(902).messages[0]?.text).toBe('0 ');
  expect(replay.at(1_801).messages[0]?.status).toBe('running');
  expect(replay.events(903, 2).map(({ seq }) => seq)).toEqual([902, 903]);
  expect([replay.step(1, -1), replay.step(1, 3), replay.step(2_503, 1)]).toEqual([1, 4, 2_503]);
});

test('grows with a live run, among other runs of its thread, without a request for what the stream brings', async () => {
  const { log, client } = await server();
  await append(log, 'other', [START, custom(1)], 't');
  await append(log, 'r', [START, custom(1)], 't');
  const fetched = vi.spyOn(globalThis, 'fetch');
  closing.push(() => fetched.mockRestore());
  const replay = replayOf(client);
  await has(replay, (it) => !it.isLoading && it.last === 4);
  const pages = () => fetched.mock.calls.filter(([url]) => String(url).includes('/events')).length;
  await vi.waitFor(() => expect(client.run('r', { from: 'snapshot' }).getSnapshot().connection).toBe('live'));
  const before = pages();
  for (let i = 0; i < 5; i++) {
    await append(log, 'other', [custom(i)], 't');
    await append(log, 'r', [custom(i)], 't');
    await has(replay, (it) => it.last === 6 + i * 2);
  }
  await append(log, 'r', [END], 't');
  await has(replay, (it) => it.isComplete);
  expect(pages()).toBe(before);
  expect(replay.getSnapshot()).toMatchObject({ first: 3, last: 15, loaded: 8 });
  // Numbers of others are the moment before them.
  expect(replay.at(7)).toBe(replay.at(7));
  expect(replay.at(7).seq).toBe(6);
});

test('asks for what the stream brought merged, so that every event is a moment', async () => {
  const merged = `id: e1.5\nevent: message.delta\ndata: {"seq":5,"prev":1,"first":2,"count":4,"epoch":"e1","runId":"r1","type":"message.delta","data":{"messageId":"m","delta":"abcd"}}\n\n`;
  const one = (seq: number, text: string) => ({
    ...{ seq, epoch: 'e1', threadId: 'r1', runId: 'r1', time: '2026-11-20T18:00:00.000Z', type: 'message.delta' },
    data: { messageId: 'm', delta: text },
  });
  const { promise: rest, resolve: goOn } = Promise.withResolvers<void>();
  const server = await serve(async (request, response) => {
    if (request.url?.includes('/stream')) {
      return play(response, [hello(), started(), caughtUp(1), { until: rest }, merged, 'stay']);
    }
    const isFirst = !request.url?.includes('after=');
    const events = isFirst
      ? [{ ...one(1, ''), type: 'run.started', data: { agent: 'a' } }]
      : [...'abcd'].map((it, i) => one(i + 2, it));
    const body = { events, cursor: `e1.${events.at(-1)?.seq}`, more: false, ended: false };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  closing.push(() => server.close());
  const replay = replayOf(clientOf(server.url), 'r1');
  await has(replay, (it) => it.last === 1);
  goOn();
  await has(replay, (it) => it.last === 5);
  expect([2, 3, 4, 5].map((seq) => replay.at(seq).messages[0]?.text)).toEqual(['a', 'ab', 'abc', 'abcd']);
});

test('begins anew where the server lost what was read, and tries again what passes', async () => {
  const page = (from: number, count: number, name: string, more: boolean) => ({
    events: Array.from({ length: count }, (_, i) => ({
      ...{ seq: from + i, epoch: name, threadId: 'r1', runId: 'r1', time: '2026-11-20T18:00:00.000Z', type: 'custom' },
      data: { name, value: i },
    })),
    ...{ cursor: `${name}.${from + count - 1}`, more, ended: !more },
  });
  const problem = (code: string, status: number) => ({ status, body: { code, title: code, status } });
  const answers = [
    { status: 200, body: page(1, 3, 'old', true) },
    problem('log_unavailable', 503),
    problem('invalid_cursor', 400),
    { status: 200, body: page(1, 2, 'new', true) },
    { status: 200, body: page(3, 2, 'new', false) },
  ];
  const server = await serve((request, response) => {
    if (request.url?.includes('/stream')) return play(response, [hello(), 'stay']);
    const { status, body } = answers.shift()!;
    response.writeHead(status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
  });
  closing.push(() => server.close());
  const replay = replayOf(clientOf(server.url), 'r1');
  const errors = new Set<string | undefined>();
  replay.subscribe(() => errors.add(replay.getSnapshot().error?.code));
  await has(replay, (it) => it.isComplete);
  expect(replay.events(9, 9).map((it) => `${it.epoch}.${it.seq}`)).toEqual(['new.1', 'new.2', 'new.3', 'new.4']);
  expect(replay.getSnapshot()).toMatchObject({ resets: 1, error: undefined });
  expect([...errors].filter(Boolean)).toEqual(['log_unavailable']);
});

test('what does not come is asked for again after a wait, also while the stream goes on', async () => {
  const merged = (seq: number) =>
    `id: e1.${seq}\nevent: message.delta\ndata: {"seq":${seq},"prev":${seq - 2},"first":${seq - 1},"count":2,"epoch":"e1","runId":"r1","type":"message.delta","data":{"messageId":"m","delta":"ab"}}\n\n`;
  const news = Array.from({ length: 40 }, () => Promise.withResolvers<void>());
  const frames = news.flatMap(({ promise }, i) => [{ until: promise }, merged(3 + 2 * i)]);
  let asked = 0;
  const server = await serve((request, response) => {
    if (request.url?.includes('/stream')) {
      return play(response, [hello(), started(), caughtUp(1), ...frames, 'stay']);
    }
    const first = {
      ...{ seq: 1, epoch: 'e1', threadId: 'r1', runId: 'r1', type: 'run.started', data: { agent: 'a' } },
    };
    const body = {
      events: [{ ...first, time: '2026-11-20T18:00:00.000Z' }],
      cursor: 'e1.1',
      more: false,
      ended: false,
    };
    const problem = { code: 'log_unavailable', title: 'log_unavailable', status: 503 };
    const isFirst = asked++ === 0;
    response.writeHead(isFirst ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isFirst ? body : problem));
  });
  closing.push(() => server.close());
  const replay = replayOf(clientOf(server.url), 'r1');
  await has(replay, (it) => it.last === 1);
  for (const [i, { resolve }] of news.entries()) {
    resolve();
    await until(() => replay.run.getSnapshot().lastSeq === 3 + 2 * i);
    if (i === 0) await has(replay, ({ error }) => error?.code === 'log_unavailable');
  }
  expect(asked).toBeLessThan(10);
  expect(replay.getSnapshot().error?.code).toBe('log_unavailable');
});

test('a run that is not there is told, and asked for again on demand', async () => {
  const { log, client } = await server();
  const replay = replayOf(client, 'late');
  await has(replay, (it) => it.error?.code === 'run_not_found');
  await append(log, 'late', [START, END]);
  replay.retry();
  await has(replay, (it) => it.isComplete);
  expect(replay.getSnapshot()).toMatchObject({ loaded: 2, error: undefined });
});

test('closed, it leaves the run and holds nothing; opened again it reads again', async () => {
  const { log, hub, client } = await server();
  await append(log, 'r', [START, ...many(600)]);
  const replay = replayOf(client);
  await has(replay, (it) => it.loaded === 601);
  replay.close();
  expect(replay.getSnapshot()).toMatchObject({ loaded: 0, last: 0, marks: [] });
  expect(replay.at(600).seq).toBe(0);
  await until(() => hub.viewers === 0, 'it to leave');
  replay.open();
  await has(replay, (it) => it.loaded === 601);
});

test('says what an event changed', async () => {
  const { log, client } = await server();
  const cost = (amount: number) => ({ amount, currency: 'USD', source: 'provider' });
  await append(log, 'r', [
    START,
    ['step.started', { stepId: 's', name: 'Check' }],
    ['tool.started', { toolCallId: 't', name: 'search' }],
    ['tool.completed', { toolCallId: 't', name: 'search' }],
    ['usage.updated', { cost: cost(0.5), usage: { totalTokens: 10 } }],
    ['usage.updated', { cost: cost(0.75), usage: { totalTokens: 30 } }],
    delta('Hello'),
    ['error.reported', { error: { code: 'x', message: 'Broken' } }],
    custom(1),
    END,
  ]);
  const replay = replayOf(client);
  await has(replay, (it) => it.isComplete);
  expect(Array.from({ length: 10 }, (_, i) => replay.changes(i + 1))).toEqual([
    [{ of: 'run', name: 'a', status: 'running' }],
    [{ of: 'steps', name: 'Check', status: 'running', isNew: true }],
    [{ of: 'tools', name: 'search', status: 'running', isNew: true }],
    [{ of: 'tools', name: 'search', status: 'completed' }],
    [
      { of: 'cost', name: '', more: 0.5, currency: 'USD' },
      { of: 'tokens', name: '', more: 10 },
    ],
    [
      { of: 'cost', name: '', more: 0.25, currency: 'USD' },
      { of: 'tokens', name: '', more: 20 },
    ],
    [{ of: 'messages', name: 'assistant', status: 'running', isNew: true, more: 5 }],
    [{ of: 'errors', name: 'Broken', isNew: true }],
    [{ of: 'event', name: 'custom' }],
    [
      { of: 'run', name: 'a', status: 'completed' },
      { of: 'steps', name: 'Check', status: 'interrupted' },
      { of: 'messages', name: 'assistant', status: 'interrupted' },
    ],
  ]);
});
