import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { TelltaleError } from '../protocol/index.ts';
import { checkOrigin } from './origin.ts';
import { send } from './raw-request.fixture.ts';

let app: Telltale;
let url: string;
let port: string;

beforeAll(async () => {
  app = telltale({
    store: 'memory:',
    allowedHosts: ['Telltale.example'],
    allowedOrigins: ['https://app.example', 'http://localhost:3000'],
  });
  app.agent('a', () => {});
  ({ url } = await app.listen(0));
  port = new URL(url).port;
});

afterAll(() => app.close());

const get = (...headers: string[]) => send(url, { target: '/v1/runs', headers });
const post = (...headers: string[]) =>
  send(url, {
    method: 'POST',
    target: '/v1/runs',
    headers: ['Content-Type: application/json', ...headers],
    body: '{"agent":"a"}',
  });
const codeOf = ({ body }: { body: string }): string => JSON.parse(body).code;
const runs = async (): Promise<number> => JSON.parse((await get()).body).runs.length;

describe('Host (P8): only names the server was told', () => {
  test.each(['localhost', 'LocalHost', '127.0.0.1', '127.9.9.9', '[::1]', 'telltale.example', 'TELLTALE.EXAMPLE'])(
    '%s is answered, on any port',
    async (host) => {
      expect((await get(`Host: ${host}:${port}`)).status).toBe(200);
      expect((await get(`Host: ${host}`)).status).toBe(200);
      expect((await get(`Host: ${host}:1`)).status).toBe(200);
    },
  );

  test.each([
    'evil.test',
    'localhost.evil.test',
    'evil.localhost',
    'localhost.',
    '127.0.0.1.',
    '127.0.0.1.nip.io',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
    '[::]',
    'sub.telltale.example',
    'telltale.example.evil.test',
    'xtelltale.example',
    '__proto__',
  ])('%s is refused', async (host) => {
    for (const line of [`Host: ${host}`, `Host: ${host}:${port}`]) {
      const response = await get(line);
      expect([line, response.status, codeOf(response)]).toEqual([line, 403, 'host_refused']);
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
    }
  });

  // What is no address at all, or not the plain spelling of one, does not come so far as to be compared.
  test.each([
    '',
    ' ',
    ':',
    '::1',
    '[::1',
    '[::1]]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::1%25lo]',
    'localhost@evil.test',
    'evil.test@localhost',
    'localhost/evil.test',
    'localhost#evil.test',
    'localhost?evil.test',
    'local host',
    'localhost,evil.test',
    'localhost:99999',
    'localhost:4747:1',
    'localhost:x',
    'localhost\\evil.test',
    '%6cocalhost',
    `${'a'.repeat(300)}.test`,
  ])('"%.40s" is refused', async (host) => {
    const response = await get(`Host: ${host}`);
    expect([400, 403]).toContain(response.status);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(['invalid_request', 'host_refused']).toContain(codeOf(response));
  });

  test('two are refused, even the same', async () => {
    for (const hosts of [
      ['localhost', 'evil.test'],
      ['evil.test', 'localhost'],
      ['localhost', 'localhost'],
    ]) {
      const response = await get(...hosts.map((host) => `Host: ${host}`));
      expect([hosts, response.status, codeOf(response)]).toEqual([hosts, 403, 'host_refused']);
    }
  });

  test('a whole URL in the request line decides over Host, so both have to be allowed', async () => {
    const to = (target: string, host: string) => send(url, { target, headers: [`Host: ${host}`] });
    expect((await to('http://localhost/v1/runs', 'localhost')).status).toBe(200);
    expect((await to('http://evil.test/v1/runs', 'localhost')).status).toBe(403);
    expect((await to('http://localhost/v1/runs', 'evil.test')).status).toBe(403);
    expect((await to('http://localhost@evil.test/v1/runs', 'localhost')).status).toBe(403);
    expect((await to('ftp://localhost/v1/runs', 'localhost')).status).toBe(400);
  });

  test('X-Forwarded-Host and Forwarded change nothing', async () => {
    const response = await get('Host: evil.test', 'X-Forwarded-Host: localhost', 'Forwarded: host=localhost');
    expect(response.status).toBe(403);
  });
});

describe('Origin (P8): the own one, and those that were allowed, exactly', () => {
  test.each(['https://app.example', 'http://localhost:3000'])('%s gets its CORS headers', async (origin) => {
    for (const response of [await get(`Origin: ${origin}`), await post(`Origin: ${origin}`)]) {
      expect(response.status).toBeLessThan(300);
      expect(response.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
      expect(response.headers['access-control-allow-credentials']).toBeUndefined();
    }
    const { runId } = JSON.parse((await post()).body);
    const stream = await send(url, { target: `/v1/runs/${runId}/stream`, headers: [`Origin: ${origin}`] });
    expect(stream.headers).toMatchObject({ 'access-control-allow-origin': origin, vary: 'Origin' });
    expect(stream.headers['cache-control']).toBe('no-cache, no-store, no-transform, must-revalidate');
    const missing = await send(url, { target: '/v1/runs/none', headers: [`Origin: ${origin}`] });
    expect([missing.status, missing.headers['access-control-allow-origin']]).toEqual([404, origin]);
  });

  test('the own origin needs no permission, and neither do programs that send none', async () => {
    for (const headers of [[`Origin: ${url}`], ['Sec-Fetch-Site: same-origin'], ['Sec-Fetch-Site: none'], []]) {
      const response = await post(...headers);
      expect(response.status).toBe(201);
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
      expect(response.headers.vary).toBe('Origin');
    }
  });

  test.each([
    'null',
    '',
    'https://evil.test',
    'http://app.example',
    'https://app.example:8443',
    'https://app.example.evil.test',
    'https://app.example@evil.test',
    'https://evilapp.example',
    'https://sub.app.example',
    'https://app.example/',
    'https://app.example, https://evil.test',
    'HTTPS://APP.EXAMPLE',
    'https://app.example\t.evil.test',
    'http://localhost',
    'http://localhost:30000',
    'http://localhost:3000.evil.test',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://localhost:3000',
    'file://',
    'chrome-extension://abcdefghijklmnop',
    '*',
    'https://xn--pp-hia.example',
  ])('%s is refused, to read and to write', async (origin) => {
    const before = await runs();
    for (const response of [await get(`Origin: ${origin}`), await post(`Origin: ${origin}`)]) {
      expect([response.status, codeOf(response)]).toEqual([403, 'origin_refused']);
      expect(response.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(await runs()).toBe(before);
  });

  test('the server’s address under another scheme or port is another origin', async () => {
    for (const origin of [url.replace('http', 'https'), url.replace(port, '1'), `http://localhost:${port}`]) {
      expect((await post(`Origin: ${origin}`)).status).toBe(403);
    }
  });

  test('a second Origin header is refused, whichever comes first', async () => {
    expect((await get('Origin: https://app.example', 'Origin: https://evil.test')).status).toBe(403);
    expect((await get('Origin: https://evil.test', 'Origin: https://app.example')).status).toBe(403);
  });

  test('a write across sites that hides its origin is refused, a read and a navigation are not', async () => {
    expect(codeOf(await post('Sec-Fetch-Site: cross-site'))).toBe('origin_refused');
    expect((await post('Sec-Fetch-Site: cross-site', 'Origin: https://app.example')).status).toBe(201);
    expect((await get('Sec-Fetch-Site: cross-site')).status).toBe(200);
  });
});

describe('preflights (P8)', () => {
  const preflight = (origin: string) =>
    send(url, {
      method: 'OPTIONS',
      target: '/v1/runs/x/events',
      headers: [
        `Origin: ${origin}`,
        'Access-Control-Request-Method: POST',
        'Access-Control-Request-Headers: producer-id',
      ],
    });

  test('of an allowed origin are told what it may send', async () => {
    const { status, headers, body } = await preflight('https://app.example');
    expect([status, body]).toEqual([204, '']);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://app.example',
      'access-control-allow-methods': 'GET, HEAD, POST, DELETE',
      vary: 'Origin',
    });
    const allowed = headers['access-control-allow-headers']?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining([
        ...['content-type', 'last-event-id', 'idempotency-key', 'producer-id', 'producer-epoch', 'producer-seq'],
      ]),
    );
  });

  test.each(['https://evil.test', 'null'])('of %s are refused', async (origin) => {
    const { status, headers } = await preflight(origin);
    expect([status, headers['access-control-allow-methods']]).toEqual([403, undefined]);
  });
});

describe('rules that could never match are refused at once', () => {
  const invalid = (options: object) =>
    telltale({ store: 'memory:', ...options })
      .listen(0)
      .then(
        () => 'listens',
        (error) => error.code,
      );
  test.each(['https://app.example/', 'app.example', '*', 'null', 'https://APP.example', ''])(
    'origin %s',
    async (origin) => {
      expect(await invalid({ allowedOrigins: [origin] })).toBe('invalid_option');
    },
  );
  test.each(['app.example:80', 'http://app.example', '', '*', 'a b'])('host %s', async (host) => {
    expect(await invalid({ allowedHosts: [host] })).toBe('invalid_option');
  });
});

describe('CORS of a door: what its own front end needs, at its own addresses', () => {
  const door = { path: '/door/', origins: ['http://localhost:5173'], credentials: true, exposed: 'x-one' } as const;
  const guarded = new Hono();
  guarded.use(
    checkOrigin({ allowedHosts: ['telltale.example'], allowedOrigins: ['https://app.example'], cors: [door] }),
  );
  guarded.onError((error, c) => c.text(TelltaleError.from(error).code, 403));
  guarded.all('*', (c) => c.text('ok'));
  const ask = (path: string, origin: string, { host = 'localhost', ...init }: RequestInit & { host?: string } = {}) =>
    guarded.request(`http://${host}${path}`, { ...init, headers: { origin, host, ...init.headers } });

  test.each([
    ['/door/stream', 'http://localhost:5173', 'localhost', 200],
    ['/door/stream', 'http://localhost:5173', 'telltale.example', 403],
    ['/door/stream', 'http://localhost:5174', 'localhost', 403],
    ['/door/stream', 'https://app.example', 'telltale.example', 200],
    ['/doors', 'http://localhost:5173', 'localhost', 403],
    ['/v1/runs', 'http://localhost:5173', 'localhost', 403],
  ])('%s of a page of %s, reached as %s: %i', async (path, origin, host, status) => {
    expect((await ask(path, origin, { host })).status).toBe(status);
  });

  test('credentials and the headers that scripts may read are told there, and nowhere else', async () => {
    const told = ({ headers }: Response) => [
      headers.get('access-control-allow-origin'),
      headers.get('access-control-allow-credentials'),
      headers.get('access-control-expose-headers'),
    ];
    expect(told(await ask('/door/x', 'http://localhost:5173'))).toEqual(['http://localhost:5173', 'true', 'x-one']);
    expect(told(await ask('/v1/runs', 'https://app.example'))).toEqual([
      'https://app.example',
      null,
      'location, retry-after, www-authenticate',
    ]);
  });

  test('a preflight is answered', async () => {
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
    const answer = await ask('/door/x', 'http://localhost:5173', { method: 'OPTIONS', headers });
    expect([answer.status, answer.headers.get('access-control-allow-credentials')]).toEqual([204, 'true']);
    expect(answer.headers.get('access-control-allow-headers')).toContain('content-type');
  });
});
