import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { exchange, parse, send } from './raw-request.fixture.ts';

let app: Telltale;
let url: string;
const reported: unknown[] = [];

beforeAll(async () => {
  app = telltale({ store: 'memory:', onError: (error) => reported.push(error) });
  app.agent('a', () => {});
  ({ url } = await app.listen(0));
});

afterAll(async () => {
  expect(reported).toEqual([]);
  await app.close();
});

const runs = async (): Promise<number> => JSON.parse((await send(url, { target: '/v1/runs' })).body).runs.length;
const START = '{"agent":"a"}';
const post = (lines: string, body: string) =>
  `POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}`;

describe('bytes that are no request, or more than one', () => {
  test.each<[string, string, number]>([
    ['two different Content-Length', post(`Content-Length: 13\r\nContent-Length: 5`, START), 400],
    [
      'Content-Length and Transfer-Encoding',
      post('Content-Length: 13\r\nTransfer-Encoding: chunked', `d\r\n${START}\r\n0\r\n\r\n`),
      400,
    ],
    ['a negative Content-Length', post('Content-Length: -1', START), 400],
    ['a Content-Length with a sign', post('Content-Length: +13', START), 400],
    ['two transfer codings', post('Transfer-Encoding: chunked, identity', `d\r\n${START}\r\n0\r\n\r\n`), 400],
    ['a chunk size that is no number', post('Transfer-Encoding: chunked', `x\r\n${START}\r\n0\r\n\r\n`), 400],
    ['space before the colon', 'GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n', 400],
    ['a folded header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n', 400],
    ['a NUL in a header', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n', 400],
    ['a bare CR', 'GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n', 400],
    ['an unknown method', 'BREW /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['noise', 'hello\r\n\r\n', 400],
    ['no Host', 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['headers beyond 16 KiB', `GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`, 431],
    ['a target beyond 16 KiB', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
  ])('%s: refused in problem details', async (_name, bytes, status) => {
    const before = await runs();
    const [response, ...more] = parse(await exchange(url, Buffer.from(bytes, 'latin1')));
    expect([response?.status, response?.headers['content-type']]).toEqual([status, 'application/problem+json']);
    expect(JSON.parse(response!.body)).toMatchObject({
      status,
      code: status === 431 ? 'headers_too_large' : 'invalid_request',
    });
    expect(more).toEqual([]);
    expect(await runs()).toBe(before);
  });

  test('a body with a byte less than announced starts nothing, and one with more is the next request', async () => {
    const before = await runs();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end(post('Content-Length: 14', START));
    await once(socket.resume(), 'close');
    expect(await runs()).toBe(before);
    const [first, second] = parse(await exchange(url, post('Content-Length: 13', `${START}!`)));
    expect([first?.status, second?.status]).toEqual([201, 400]);
  });

  test('pipelined requests are answered in their order', async () => {
    const ids = ['p1', 'p2', 'p3'].map((id) => JSON.stringify({ agent: 'a', runId: id }));
    const bytes = ids
      .map((body, i) => post(`Content-Length: ${body.length}${i === 2 ? '\r\nConnection: close' : ''}`, body))
      .join('');
    const responses = parse(await exchange(url, bytes));
    expect(responses.map(({ status, body }) => [status, JSON.parse(body).runId])).toEqual([
      [201, 'p1'],
      [201, 'p2'],
      [201, 'p3'],
    ]);
  });

  test('chunk extensions and trailers are read over', async () => {
    const chunks = `d;a=b\r\n${START}\r\n0;c="d"\r\nX-Trailer: y\r\n\r\n`;
    const [response] = parse(await exchange(url, post('Transfer-Encoding: chunked\r\nConnection: close', chunks)));
    expect(response?.status).toBe(201);
  });

  test('HTTP/1.0, Upgrade, Expect and Range change nothing', async () => {
    const [old] = parse(await exchange(url, 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n'));
    expect(old?.status).toBe(200);
    for (const headers of [
      ['Upgrade: websocket', 'Connection: Upgrade, close'],
      ['Range: bytes=0-1'],
      ['X-HTTP-Method-Override: DELETE'],
    ]) {
      expect((await send(url, { target: '/healthz', headers })).status).toBe(200);
    }
    const [interim, final] = parse(
      await exchange(url, post('Content-Length: 13\r\nExpect: 100-continue\r\nConnection: close', START)),
    );
    expect([interim?.status, final?.status]).toEqual([100, 201]);
  });

  test('headers named like members of Object pollute nothing', async () => {
    const headers = ['__proto__: x', 'constructor: y', 'toString: z', 'hasOwnProperty: w'];
    expect((await send(url, { target: '/healthz', headers })).status).toBe(200);
    const body =
      '{"agent":"a","metadata":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}},"input":{"__proto__":{"polluted":1}}}';
    expect(
      (await send(url, { method: 'POST', target: '/v1/runs', headers: ['Content-Type: application/json'], body }))
        .status,
    ).toBe(201);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('where it listens', () => {
  test.each([
    '0.0.0.0',
    '::',
    '',
    '192.0.2.1',
    'example.com',
    '10.0.0.1',
    '127.0.0.1.evil.test',
    'localhost.evil.test',
    '::ffff:0.0.0.0',
  ])('not on %j, while there is no authentication', async (host) => {
    const other = telltale({ store: 'memory:' });
    await expect(other.listen(0, host)).rejects.toMatchObject({
      code: 'unsafe_bind',
      message: expect.stringContaining('127.0.0.1'),
    });
    await other.close();
  });

  test('on a port in use it says so, and what to do', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const other = telltale({ store: 'memory:' });
    await expect(other.listen(port)).rejects.toMatchObject({
      code: 'cannot_listen',
      message: expect.stringMatching(`Port ${port} is taken.*choose another port`),
    });
    squatter.close();
    await once(squatter, 'close');
    await expect(other.listen(port)).resolves.toMatchObject({ url: `http://127.0.0.1:${port}` });
    await other.close();
  });

  test('on IPv6 loopback too, with a URL that works', async () => {
    const other = telltale({ store: 'memory:' });
    const { url } = await other.listen(0, '::1');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    await other.close();
  });
});

test('closing lets a request finish, ends idle connections and frees the port', async () => {
  const other = telltale({ store: 'memory:' });
  const server = await other.listen(0);
  const port = Number(new URL(server.url).port);
  const idle = connect(port, '127.0.0.1');
  const busy = connect(port, '127.0.0.1');
  await Promise.all([once(idle, 'connect'), once(busy, 'connect')]);
  const body = '{"agent":"b","mode":"remote"}';
  const request = post(`Content-Length: ${body.length}`, body);
  busy.write(request.slice(0, -5));
  const answer = once(busy, 'data');
  // The server has the first part once it answers another request that came later.
  expect((await send(server.url, { target: '/healthz' })).status).toBe(200);
  const closed = server.close();
  busy.write(request.slice(-5));
  expect(String((await answer)[0])).toMatch(/^HTTP\/1\.1 201 /);
  idle.resume();
  busy.resume();
  await closed;
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  await other.close();
});

test('closing does not wait for a connection on which nothing has come, as clients open them to spare', async () => {
  const other = telltale({ store: 'memory:' });
  const server = await other.listen(0);
  const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1' });
  await once(socket, 'connect');
  // Accepted after the one before it: the server has both.
  await send(server.url, { target: '/healthz' });
  const before = performance.now();
  await server.close();
  expect(performance.now() - before).toBeLessThan(1_500);
  socket.destroy();
  await other.close();
});

test('a stream outlives the time that a request may take; headers that never end do not', { timeout: 120_000 }, async ({
  skip,
}) => {
  skip(!process.env.TELLTALE_LONG, 'takes 90 s; the long tier runs it');
  const other = telltale({ store: 'memory:' });
  const { url } = await other.listen(0);
  const body = '{"agent":"b","runId":"long","mode":"remote"}';
  await send(url, { method: 'POST', target: '/v1/runs', headers: ['Content-Type: application/json'], body });
  const stream = await fetch(`${url}/v1/runs/long/stream`);
  const text = new Response(stream.body).text();

  const slow = exchange(url, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n');
  expect(parse(await slow)[0]).toMatchObject({
    status: 408,
    headers: { 'content-type': 'application/problem+json' },
  });

  await sleep(75_000);
  const end = '{"events":[{"type":"run.completed","data":{}}]}';
  const headers = ['Content-Type: application/json'];
  await send(url, { method: 'POST', target: '/v1/runs/long/events', headers, body: end });
  expect(await text).toMatch(/event: run\.started[\s\S]+event: run\.completed[\s\S]+event: stream\.bye/);
  await other.close();
});
