import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { append, custom, delta, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, until } from '../hub/recording.fixture.ts';
import { has } from './programs.fixture.ts';
import { ORIGIN, type StreamServer, streamServer } from './stream.fixture.ts';
import { connectOnce, get, read } from './stream-client.fixture.ts';

let server: StreamServer;
let epoch: string;

beforeAll(async () => {
  server = await streamServer();
  await append(server.log, 'ended', [
    START,
    custom({ text: 'é' }),
    ['tool.started', { toolCallId: 't', name: 'read' }],
    END,
  ]);
  await append(server.log, 'open', [START, custom(1)]);
  epoch = (await server.log.head('ended'))!.epoch;
});

afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.close();
});

const problem = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await get(server.url + path, { headers });
  const body = JSON.parse(await read(answer)) as { code: string; detail: string };
  expect(answer.headers['content-type']).toBe('application/problem+json');
  return [answer.statusCode, body.code];
};

describe('GET …/stream (P5, P7)', () => {
  test('answers with the headers of a stream that no proxy or cache may touch', async () => {
    const answer = await get(`${server.url}/v1/runs/ended/stream`);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      connection: 'close',
    });
    expect(answer.headers).not.toHaveProperty('content-length');
    expect(answer.headers).not.toHaveProperty('transfer-encoding');
    await read(answer);
  });

  test('keeps the CORS headers that were decided before it', async () => {
    const answer = await get(`${server.url}/v1/runs/ended/stream`, { headers: { origin: ORIGIN } });
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': ORIGIN, vary: 'Origin' });
    await read(answer);
  });

  test('speaks HTTP/1.0', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    socket.write(`GET /v1/runs/ended/stream HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`);
    await once(socket, 'close');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\n\r\n: connected\n\nretry: /);
    expect(text).toMatch(/event: stream\.bye\ndata: \{"reason":"ended"\}\n\n$/);
  });

  test('is line for line what PROTOCOL.md says, as curl -N shows it', async (context) => {
    if (!has('curl')) return context.skip('curl is not installed');
    const { stdout } = await promisify(execFile)('curl', ['-sN', `${server.url}/v1/runs/ended/stream`]);
    const masked = stdout.replaceAll(epoch, 'EPOCH').replace(/^retry: [1-4]\d{3}$/m, 'retry: RETRY');
    const envelope = (seq: number, type: string) =>
      `{"seq":${seq},"epoch":"EPOCH","threadId":"ended","runId":"ended","type":"${type}","time":"2026-11-20T18:00:00.000Z"`;
    expect(masked.split('\n')).toEqual([
      ': connected',
      '',
      'retry: RETRY',
      '',
      'event: stream.hello',
      'data: {"threadId":"ended","runId":"ended","epoch":"EPOCH","earliest":1,"latest":4,"heartbeatMs":15000}',
      '',
      'id: EPOCH.1',
      'event: run.started',
      `data: ${envelope(1, 'run.started')},"data":{"agent":"a"}}`,
      '',
      'id: EPOCH.2',
      'event: custom',
      `data: ${envelope(2, 'custom')},"data":{"name":"n","value":{"text":"é"}}}`,
      '',
      'id: EPOCH.3',
      'event: tool.started',
      `data: ${envelope(3, 'tool.started')},"data":{"toolCallId":"t","name":"read"}}`,
      '',
      'id: EPOCH.4',
      'event: run.completed',
      `data: ${envelope(4, 'run.completed')},"data":{}}`,
      '',
      'event: stream.bye',
      'data: {"reason":"ended"}',
      '',
      '',
    ]);
  });

  test('sends so many spaces first as were asked for', async () => {
    const body = await read(await get(`${server.url}/v1/runs/ended/stream?padding=2048`));
    expect(body.indexOf('retry:')).toBeGreaterThan(2048);
    expect(body).toMatch(/^: connected\n\n: {2049}\n\nretry/);
  });

  test('Last-Event-ID wins over after, after over from; empty ones count as absent', async () => {
    const ids = async (query: string, header?: string) => {
      const headers = header === undefined ? {} : { 'last-event-id': header };
      const viewer = new RecordedViewer('v');
      const answer = await get(`${server.url}/v1/runs/ended/stream${query}`, { headers });
      viewer.connected();
      await read(answer, (text) => viewer.feed(text));
      return viewer.events.map(({ id }) => Number(id?.split('.')[1]));
    };
    expect(await ids('')).toEqual([1, 2, 3, 4]);
    expect(await ids(`?after=${epoch}.2`)).toEqual([3, 4]);
    expect(await ids(`?after=${epoch}.2&from=now`)).toEqual([3, 4]);
    expect(await ids(`?after=${epoch}.1`, `${epoch}.3`)).toEqual([4]);
    expect(await ids(`?after=${epoch}.1`, '')).toEqual([2, 3, 4]);
    expect(await ids('?after=&from=start')).toEqual([1, 2, 3, 4]);
    expect(await ids('?from=now')).toEqual([]);
    expect(await ids('?types=tool.*')).toEqual([3, 4]);
    expect(await ids('?agents=nobody,else')).toEqual([4]);
    expect(await ids('?depth=0')).toEqual([1, 2, 3, 4]);
    expect(await ids('?from=-2')).toEqual([3, 4]);
    expect(await ids('?from=-2&types=tool.*,run.started')).toEqual([3, 4]);
    expect(await ids('?from=-9999')).toEqual([1, 2, 3, 4]);
    expect(await ids('?from=snapshot')).toEqual([]);
    expect(await ids('?from=snapshot', `${epoch}.3`)).toEqual([4]);
    expect(await ids('', 'garbage')).toEqual([1, 2, 3, 4]);
  });

  test('merges deltas in history, or not, as it was asked', async () => {
    const path = `${server.url}/v1/runs/deltas/stream`;
    await append(server.log, 'deltas', [START, delta('a'), delta('b'), END]);
    const names = async (query: string) =>
      [...(await read(await get(path + query))).matchAll(/^event: ([^s].*)$/gm)].map(([, name]) => name);
    const merged = ['run.started', 'message.delta', 'run.completed'];
    expect(await names('')).toEqual(merged);
    expect(await names('?coalesce=on')).toEqual(merged);
    expect(await names('?coalesce=off')).toEqual(['run.started', 'message.delta', 'message.delta', 'run.completed']);
  });

  test('a cursor at the end of a run: 204, on a thread never', async () => {
    for (const headers of [{ 'last-event-id': `${epoch}.4` }]) {
      const over = await get(`${server.url}/v1/runs/ended/stream`, { headers });
      expect([over.statusCode, await read(over)]).toEqual([204, '']);
      const thread = await get(`${server.url}/v1/threads/ended/stream`, { headers });
      expect(thread.statusCode).toBe(200);
      thread.destroy();
    }
    const bad = await get(`${server.url}/v1/runs/ended/stream`, { headers: { 'last-event-id': `${epoch}.5` } });
    expect(bad.statusCode).toBe(200);
    expect(await read(bad)).toContain('"reason":"ahead_of_tail"');
    await until(() => server.hub.viewers === 0);
  });

  test.each([
    ['/v1/runs/none/stream', 404, 'run_not_found'],
    ['/v1/runs/%2e%2e/%2e%2e/stream', 404, 'not_found'],
    ['/v1/threads/none/stream', 404, 'thread_not_found'],
    ['/v1/runs/ended/stream?from=yesterday', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?from=now&from=start', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?types=', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?types=Tool', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?types=*', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?types=tool.*.x', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?types=a%0Ab', 400, 'invalid_request'],
    [`/v1/runs/ended/stream?types=${Array.from({ length: 65 }, (_, i) => `t${i}`)}`, 400, 'invalid_request'],
    [`/v1/runs/ended/stream?types=${'a'.repeat(65)}`, 400, 'invalid_request'],
    ['/v1/threads/ended/stream?from=snapshot', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?from=-0', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?from=-10000', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?from=5', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?agents=', 400, 'invalid_request'],
    [`/v1/runs/ended/stream?agents=${Array.from({ length: 65 }, (_, i) => `a${i}`)}`, 400, 'invalid_request'],
    [`/v1/runs/ended/stream?agents=${'a'.repeat(257)}`, 400, 'invalid_request'],
    ['/v1/runs/ended/stream?depth=-1', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?depth=1000', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?coalesce=true', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?events=all', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?padding=8193', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?padding=-1', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?padding=1e3', 400, 'invalid_request'],
    ['/v1/runs/ended/stream?color=blue', 400, 'invalid_request'],
  ])('%s is refused before a stream opens: %d', async (path, status, code) => {
    expect(await problem(path)).toEqual([status, code]);
  });

  test.each([
    ['*/*', 200],
    ['text/*', 200],
    ['text/event-stream', 200],
    ['TEXT/Event-Stream;q=0.1, */*;q=0', 200],
    ['', 200],
    ['application/json', 406],
    ['text/event-stream;q=0', 406],
    ['text/event-stream; q=0.000, */*', 406],
    ['text/*;q=0,*/*', 406],
    ['text/html,application/xhtml+xml', 406],
  ])('Accept: %s is answered with %d', async (accept, status) => {
    const answer = await get(`${server.url}/v1/runs/ended/stream`, { headers: { accept } });
    expect(answer.statusCode).toBe(status);
    await read(answer);
  });

  test('HEAD says what GET would, and opens nothing', async () => {
    const answer = await get(`${server.url}/v1/runs/open/stream`, { method: 'HEAD' });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(await read(answer)).toBe('');
    expect((await get(`${server.url}/v1/runs/none/stream`, { method: 'HEAD' })).statusCode).toBe(404);
    expect(server.hub.viewers).toBe(0);
  });

  test('a client that goes away leaves nothing behind, whenever it goes', async () => {
    const { hostname, port } = new URL(server.url);
    for (let i = 0; i < 20; i++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.write(`GET /v1/runs/open/stream HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
      if (i % 2) await once(socket, 'data');
      else await new Promise((resolve) => setImmediate(resolve));
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    // The requests that were reset early may still be on their way in.
    const viewer = new RecordedViewer('v');
    await connectOnce(viewer, `${server.url}/v1/runs/ended/stream`);
    await until(() => server.hub.viewers === 0 && server.hub.threads === 0);
  });

  test('a server that closes ends its streams without bye, so that clients come back', async () => {
    const closing = await streamServer();
    await append(closing.log, 'r', [START]);
    const viewer = new RecordedViewer('v');
    const watching = connectOnce(viewer, `${closing.url}/v1/runs/r/stream`);
    await until(() => viewer.events.length === 1);
    await closing.close();
    expect([await watching, viewer.ended, closing.hub.viewers]).toEqual([200, false, 0]);
  });

  test('P7: a log that cannot be read now is told inside a 200, so that an EventSource comes back', async () => {
    const away = await streamServer();
    await append(away.log, 'r', [START]);
    await away.log.close();
    for (const path of ['runs/r', 'threads/r']) {
      const answer = await get(`${away.url}/v1/${path}/stream`);
      const headers = [answer.statusCode, answer.headers['content-type']];
      expect(headers).toEqual([200, 'text/event-stream; charset=utf-8']);
      expect(await read(answer)).toMatch(/^: log_closed, error \w{12}\n\nretry: 2000\n\n$/);
    }
    expect(away.errors).toMatchObject([{ code: 'log_closed' }, { code: 'log_closed' }]);
    await away.close();
  });
});
