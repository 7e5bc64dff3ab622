import { EventSource } from 'eventsource';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, until } from '../hub/recording.fixture.ts';
import { openMemory } from '../log/memory.ts';
import { TelltaleError } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { type StreamServer, streamServer } from './stream.fixture.ts';
import { get, read } from './stream-client.fixture.ts';

let server: StreamServer;
beforeAll(async () => {
  server = await streamServer({ heartbeatMs: 200, latenessMs: 400 });
  for (const id of ['a', 'b']) await append(server.log, id, [START]);
});
afterAll(async () => {
  await until(() => server.hub.viewers === 0);
  expect(server.errors).toEqual([]);
  await server.close();
});

const STREAM = { accept: 'text/event-stream' };

describe('GET /v1/runs (P7, P8)', () => {
  test.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['text/*', 'application/json'],
    ['text/html,*/*;q=0.8', 'application/json'],
    ['application/json, text/event-stream', 'application/json'],
    ['application/json;q=0.9, text/event-stream;q=0.5', 'application/json'],
    ['text/event-stream;q=0', 'application/json'],
    ['text/event-stream;q=0.000, */*', 'application/json'],
    ['text/event-stream', 'text/event-stream; charset=utf-8'],
    ['Text/Event-Stream;charset=utf-8', 'text/event-stream; charset=utf-8'],
    ['text/event-stream, */*', 'text/event-stream; charset=utf-8'],
    ['application/json;q=0.5, text/event-stream;q=0.9', 'text/event-stream; charset=utf-8'],
  ])('Accept %j is answered with %s', async (accept, type) => {
    const answer = await get(`${server.url}/v1/runs`, { headers: accept === undefined ? {} : { accept } });
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, type]);
    answer.destroy();
  });

  test('as a stream it has the headers of every stream, is filtered as the list, and goes on', async () => {
    const answer = await get(`${server.url}/v1/runs?agent=a&status=running&padding=50`, { headers: STREAM });
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    const viewer = new RecordedViewer('v');
    viewer.connected();
    const ended = read(answer, (text) => viewer.feed(text));
    const about = (event: string) =>
      viewer.frames.filter((frame) => frame.event === event).map(({ data }) => JSON.parse(data));
    await until(() => about('stream.caught-up').length === 1);
    const page = async (query = ''): Promise<unknown[]> =>
      (await (await fetch(`${server.url}/v1/runs?agent=a&status=running${query}`)).json()).runs;
    const plain = await page();
    expect(about('stream.run').slice(0, plain.length)).toEqual(plain);
    const detailed = await page('&details=true');
    expect(detailed).not.toEqual(plain);
    await until(() => about('stream.run').length === 2 * plain.length);
    expect(about('stream.run').slice(plain.length)).toEqual(detailed);
    await append(server.log, 'c', [START]);
    await until(() => about('stream.run').some(({ runId }) => runId === 'c'));
    await append(server.log, 'c', [END]);
    await until(() => about('stream.left').some(({ runId, reason }) => runId === 'c' && reason === 'status'));
    await until(() => viewer.comments.includes('heartbeat'));
    answer.destroy();
    await ended;
  });

  test('HEAD says what GET would be, and opens nothing', async () => {
    const answer = await get(`${server.url}/v1/runs`, { method: 'HEAD', headers: STREAM });
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await read(answer)).toBe('');
  });

  test.each(['before=x', 'limit=0', 'status=happy', 'from=now', 'padding=9999'])(
    '?%s is refused before it opens',
    async (query) => {
      const answer = await get(`${server.url}/v1/runs?${query}`, { headers: STREAM });
      expect([answer.statusCode, await read(answer)]).toEqual([
        400,
        expect.stringContaining('"code":"invalid_request"'),
      ]);
    },
  );

  test('an EventSource whose connection is cut comes back by itself, without an id, and gets the list anew', async () => {
    let connections = 0;
    const proxy = await faultyProxy(server.url, () => (connections++ === 0 ? { cutAfter: 900, cutBy: 'reset' } : {}));
    const asked: (string | null)[] = [];
    const source = new EventSource(`${proxy.url}/v1/runs`, {
      fetch: (url, init) => {
        asked.push(new Headers(init?.headers as HeadersInit).get('last-event-id'));
        return fetch(url, init as RequestInit);
      },
    });
    let listed: string[] = [];
    const lists: string[][] = [];
    source.addEventListener('stream.hello', () => {
      listed = [];
    });
    source.addEventListener('stream.run', ({ data }) => listed.push(JSON.parse(data).runId));
    source.addEventListener('stream.caught-up', () => lists.push(listed));
    await until(() => asked.length > 1 && lists.length > 0 && connections > 1, 'the second list', 15_000);
    await append(server.log, 'd', [START]);
    await until(() => listed.includes('d'));
    const { runs } = await server.log.runs.list({ limit: 50 });
    expect([...new Set(listed)].sort()).toEqual(runs.map(({ runId }) => runId).sort());
    expect(new Set(asked)).toEqual(new Set([null]));
    source.close();
    await proxy.close();
  });

  test('a log that is away is told inside a 200, so that an EventSource comes again', async () => {
    const log = openMemory();
    const away = () => Promise.reject(new TelltaleError('log_unavailable', 'The log is away (injected)'));
    const other = await streamServer({}, Object.assign(log, { runs: { ...log.runs, list: away } }));
    const answer = await get(`${other.url}/v1/runs`, { headers: STREAM });
    expect([answer.statusCode, await read(answer)]).toEqual([
      200,
      expect.stringMatching(/^: log_unavailable.*retry: /s),
    ]);
    expect(other.errors.splice(0)).toHaveLength(1);
    const json = await get(`${other.url}/v1/runs`);
    expect(json.statusCode).toBe(503);
    json.destroy();
    await other.close();
  });

  test('a server that closes ends the lists', async () => {
    const other = await streamServer();
    const answer = await get(`${other.url}/v1/runs`, { headers: STREAM });
    const ended = read(answer);
    await until(() => other.hub.viewers === 1);
    await other.close();
    expect(await ended).toContain('stream.caught-up');
  });
});
