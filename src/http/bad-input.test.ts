import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { LIMITS } from '../protocol/index.ts';
import { type RawRequest, send } from './raw-request.fixture.ts';

let app: Telltale;
let url: string;
/** Everything the log holds, as far as a bad request could have changed it. */
let before: string;
const reported: unknown[] = [];

const JSON_TYPE = 'Content-Type: application/json';
const post = (target: string, body: string | Uint8Array, ...headers: string[]): RawRequest => ({
  method: 'POST',
  target,
  body,
  headers: headers.length > 0 ? headers : [JSON_TYPE],
});
const ok = async (request: RawRequest) => {
  const { status, body } = await send(url, request);
  expect(status, body).toBeLessThan(300);
  return JSON.parse(body);
};
const state = async () =>
  JSON.stringify([
    await ok({ target: '/v1/runs' }),
    await ok({ target: '/v1/threads/open' }),
    await ok({ target: '/v1/threads/done' }),
  ]);

beforeAll(async () => {
  app = telltale({ store: 'memory:', onError: (error) => reported.push(error) });
  app.agent('greeter', (_run, name) => `Hello ${name}`);
  ({ url } = await app.listen(0));
  for (const runId of ['open', 'done']) await ok(post('/v1/runs', `{"agent":"a","runId":"${runId}","mode":"remote"}`));
  await ok(post('/v1/runs/done/events', '{"events":[{"type":"run.completed","data":{}}]}'));
  before = await state();
});

afterAll(async () => {
  expect(reported).toEqual([]);
  await app.close();
});

/** Refused with this status and code, in words, and nothing else happened. */
async function refused(request: RawRequest, status: number, code: string): Promise<void> {
  const response = await send(url, request);
  expect([response.status, response.body]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  expect(response.headers['content-type']).toBe('application/problem+json');
  const problem = JSON.parse(response.body);
  expect(problem).toMatchObject({ status, type: `urn:telltale:error:${code}`, retryable: false });
  expect(problem.detail.length).toBeGreaterThan(15);
  expect(response.body).not.toMatch(/\.ts:|node_modules|node:internal/);
  expect(await state()).toBe(before);
}

const events = (...list: unknown[]): string => JSON.stringify({ events: list });
const custom = (value: unknown): unknown => ({ type: 'custom', data: { name: 'n', value } });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const filled = (bytes: number, begin: string, end: string): string =>
  begin + 'x'.repeat(bytes - begin.length - end.length) + end;
const chunked = (body: string, size = 65_536): string => {
  const chunks = body.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return `${chunks.map((it) => `${it.length.toString(16)}\r\n${it}\r\n`).join('')}0\r\n\r\n`;
};

const BODY_ROUTES = ['/v1/runs', '/v1/runs/open/events', '/v1/runs/open/cancel'];

describe.each(BODY_ROUTES)('the body of POST %s', (route) => {
  test.each<[string, string | Uint8Array, string]>([
    ['null', 'null', 'invalid_request'],
    ['a number', '1', 'invalid_request'],
    ['a string', '"x"', 'invalid_request'],
    ['a list', '[]', 'invalid_request'],
    ['an unknown member', '{"surprise":1}', 'invalid_request'],
    ['white space', '  ', 'invalid_json'],
    ['no JSON', '{agent:1}', 'invalid_json'],
    ['something behind it', '{} x', 'invalid_json'],
    ['NDJSON', '{}\n{}', 'invalid_json'],
    ['a byte order mark', '\ufeff{}', 'invalid_json'],
    ['UTF-16', Buffer.from('{}', 'utf16le'), 'invalid_json'],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'invalid_json'],
    ['a lone continuation byte', Buffer.from([0x22, 0x80, 0x22]), 'invalid_json'],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'invalid_json'],
    ['a raw NUL', '{"a":"\0"}', 'invalid_json'],
    ['a number beyond double precision', '{"input":1e400}', 'invalid_json'],
    ['nesting one beyond the limit', `{"a":${nested(LIMITS.jsonDepth + 3)}}`, 'too_deep'],
    ['nesting of 10,000', nested(10_000), 'too_deep'],
    ['nesting of 500,000', nested(500_000), 'too_deep'],
    ['nesting of 1,000,000, never closed', '['.repeat(1_000_000), 'too_deep'],
    ['nesting in keys', '{"a":'.repeat(200_000), 'too_deep'],
  ])('%s is refused', (_name, body, code) => refused(post(route, body), 400, code));

  test.each<[string, string[]]>([
    ['no content type', ['X: y']],
    ['an empty one', ['Content-Type:']],
    ['text/plain, which pages may send across sites', ['Content-Type: text/plain']],
    ['a form', ['Content-Type: application/x-www-form-urlencoded']],
    ['a multipart form', ['Content-Type: multipart/form-data; boundary=application/json']],
    ['JSON among others', ['Content-Type: application/json, text/plain']],
    ['a second line', [JSON_TYPE, 'Content-Type: text/plain']],
    ['the same line twice', [JSON_TYPE, JSON_TYPE]],
    ['a type that begins like JSON', ['Content-Type: application/jsonp']],
    ['UTF-7', ['Content-Type: application/json; charset=utf-7']],
    ['Latin-1', ['Content-Type: application/json; charset=iso-8859-1']],
    ['gzip', [JSON_TYPE, 'Content-Encoding: gzip']],
    ['gzip twice', [JSON_TYPE, 'Content-Encoding: gzip, gzip']],
    ['Brotli', [JSON_TYPE, 'Content-Encoding: br']],
  ])('%s is refused', (_name, headers) =>
    refused(post(route, '{"agent":"greeter"}', ...headers), 415, 'unsupported_media_type'),
  );

  test('one byte more than an append may have is refused, however it comes', async () => {
    const body = filled(LIMITS.batchBytes + 1, '{"reason":"', '"}');
    await refused(post(route, body), 413, 'batch_too_large');
    await refused(post(route, chunked(body), JSON_TYPE, 'Transfer-Encoding: chunked'), 413, 'batch_too_large');
    await refused(post(route, chunked(body, 1000), JSON_TYPE, 'Transfer-Encoding: chunked'), 413, 'batch_too_large');
  });

  test('six times too much is read to its end, so that the sender hears why it was refused', () =>
    refused(post(route, 'x'.repeat(6 * LIMITS.batchBytes)), 413, 'batch_too_large'));
});

test('a body cut at any byte is refused', async () => {
  const whole = '{"agent":"greeter","input":["Zoë",-1.5e3,true,null,{}]}';
  const bytes = Buffer.from(whole);
  for (let length = 0; length < bytes.length; length++) {
    const { status, body } = await send(url, post('/v1/runs', bytes.subarray(0, length)));
    expect([length, status, JSON.parse(body).code]).toEqual([length, 400, 'invalid_json']);
  }
  expect(await state()).toBe(before);
});

test('a body that breaks off before its Content-Length is not taken', async () => {
  const request = post('/v1/runs', '{"agent":"greeter"}', JSON_TYPE, 'Content-Length: 500');
  const abort = new AbortController();
  const sent = fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    duplex: 'half',
    signal: abort.signal,
    body: new ReadableStream({
      start: (controller) => controller.enqueue(Buffer.from(request.body as string)),
    }),
  } as RequestInit);
  await new Promise((resolve) => setImmediate(resolve));
  abort.abort();
  await expect(sent).rejects.toThrow();
  expect(await state()).toBe(before);
});

describe('POST /v1/runs', () => {
  test.each<[string, string, number, string]>([
    ['no agent', '{}', 400, 'invalid_request'],
    ['an agent that is no string', '{"agent":7}', 400, 'invalid_request'],
    ['an empty agent', '{"agent":""}', 400, 'invalid_request'],
    ['null for an optional member', '{"agent":"greeter","runId":null}', 400, 'invalid_request'],
    ['an unknown agent', '{"agent":"nobody"}', 404, 'agent_not_found'],
    ['__proto__ as agent', '{"agent":"__proto__"}', 404, 'agent_not_found'],
    ['constructor as agent', '{"agent":"constructor"}', 404, 'agent_not_found'],
    ['an unknown mode', '{"agent":"greeter","mode":"elsewhere"}', 400, 'invalid_request'],
    ['metadata that is a list', '{"agent":"greeter","metadata":[]}', 400, 'invalid_request'],
    ['an id that is taken', '{"agent":"greeter","runId":"open"}', 409, 'run_exists'],
    [
      'an input larger than an event',
      `{"agent":"r","mode":"remote","input":"${'x'.repeat(LIMITS.eventBytes)}"}`,
      413,
      'event_too_large',
    ],
    ...[
      '',
      '.',
      '..',
      '../x',
      'a/b',
      'a b',
      'a\\u0000',
      'a\\n',
      '\\ud83d\\ude00',
      'ä',
      '{tag}',
      '*',
      'a:b',
      'x'.repeat(33),
      'x'.repeat(8192),
    ].flatMap((id): [string, string, number, string][] => [
      [`runId ${id.slice(0, 40)}`, `{"agent":"greeter","runId":"${id}"}`, 400, 'invalid_request'],
      [`threadId ${id.slice(0, 40)}`, `{"agent":"greeter","threadId":"${id}"}`, 400, 'invalid_request'],
    ]),
  ])('%s is refused', (_name, body, status, code) => refused(post('/v1/runs', body), status, code));
});

describe('POST /v1/runs/{runId}/events', () => {
  const append = (body: string, ...headers: string[]) => post('/v1/runs/open/events', body, JSON_TYPE, ...headers);

  test.each<[string, string, number, string]>([
    ['no events', '{}', 400, 'invalid_request'],
    ['an empty list', events(), 400, 'invalid_request'],
    ['events that are no list', '{"events":{"0":{}}}', 400, 'invalid_request'],
    ['an event that is null', events(null), 400, 'invalid_event'],
    ['an event that is text', events('x'), 400, 'invalid_event'],
    ['no type', events({ data: {} }), 400, 'invalid_event'],
    ['a type that is a number', events({ type: 1, data: {} }), 400, 'invalid_event'],
    ['no data', events({ type: 'my.own' }), 400, 'invalid_event'],
    ['data that is a list', events({ type: 'my.own', data: [] }), 400, 'invalid_event'],
    ['a member that is not the producer’s', events({ type: 'my.own', data: {}, seq: 7 }), 400, 'invalid_event'],
    ['a wrong agent', events({ type: 'my.own', data: {}, agent: 'me' }), 400, 'invalid_event'],
    ['a line break in traceparent', events({ type: 'my.own', data: {}, traceparent: 'a\nb' }), 400, 'invalid_event'],
    ['a malformed known type', events({ type: 'tool.called', data: { toolCallId: 7 } }), 400, 'invalid_event'],
    [
      'null for an optional field',
      events({ type: 'plan.created', data: { goal: null, steps: [] } }),
      400,
      'invalid_event',
    ],
    ['progress beyond 1', events({ type: 'progress.updated', data: { progress: 1.5 } }), 400, 'invalid_event'],
    ['a good event before a bad one', events(custom(1), { type: 'my.own' }), 400, 'invalid_event'],
    ['an event behind the end', events({ type: 'run.completed', data: {} }, custom(1)), 400, 'invalid_event'],
    [
      'two ends',
      events({ type: 'run.completed', data: {} }, { type: 'run.completed', data: {} }),
      400,
      'invalid_event',
    ],
    ['an event one byte too large', events(custom('x'.repeat(LIMITS.eventBytes))), 413, 'event_too_large'],
    ['one event too many', events(...Array(LIMITS.batchEvents + 1).fill(custom(1))), 413, 'batch_too_large'],
    ...['run.queued', 'run.started', 'control.requested'].map((type): [string, string, number, string] => [
      type,
      events({ type, data: { agent: 'a', command: 'cancel', commandId: 'c' } }),
      400,
      'reserved_type',
    ]),
  ])('%s is refused', (_name, body, status, code) => refused(append(body), status, code));

  test.each([
    'stream.reset',
    'stream.bye',
    'stream.',
    'stream.x',
    'STREAM.RESET',
    'Stream.Hello',
    'sTrEaM.caught-up',
    'stream.reset\n',
  ])('the reserved type %s is refused', (type) => refused(append(events({ type, data: {} })), 400, 'reserved_type'));

  test.each([
    '',
    ' ',
    'x y',
    ' stream.reset',
    'stream\u0000.reset',
    '\ufeffstream.reset',
    'a\nid: 7',
    'a\r\ndata: x',
    'ｓtream.reset',
    'stream\u2024reset',
    '.',
    'a.',
    '.a',
    'a..b',
    '__proto__',
    `a${'.b'.repeat(40)}`,
    'x'.repeat(1000),
    '💥',
  ])('the type %j is refused', (type) => refused(append(events({ type, data: {} })), 400, 'invalid_event'));

  test('appends to a run that has ended are refused', () =>
    refused(post('/v1/runs/done/events', events(custom(1))), 409, 'run_closed'));

  const key = (id: string, epoch: string, seq: string) => [
    `Producer-Id: ${id}`,
    `Producer-Epoch: ${epoch}`,
    `Producer-Seq: ${seq}`,
  ];

  test.each<[string, string[]]>([
    ...[0, 1, 2].flatMap((i): [string, string[]][] => [
      [`without header ${i}`, key('p', '0', '0').toSpliced(i, 1)],
      [`with header ${i} alone`, [key('p', '0', '0')[i]!]],
      [`with header ${i} twice`, [...key('p', '0', '0'), key('p', '0', '0')[i]!]],
    ]),
    ...['', '-1', '+1', '01', '1.0', '1e3', '0x1', '1 ', 'Infinity', '9007199254740992', '9223372036854775808', '१']
      .filter((it) => it.trim() === it)
      .flatMap((it): [string, string[]][] => [
        [`epoch ${it}`, key('p', it, '0')],
        [`seq ${it}`, key('p', '0', it)],
      ]),
    ['an empty id', key('', '0', '0')],
    ['an id of 10 KB', key('p'.repeat(10_000), '0', '0')],
    ['an id beyond ASCII', key('é', '0', '0')],
    ['an id with a space', key('a b', '0', '0')],
  ])('a producer key %s is refused', (_name, headers) =>
    refused(append(events(custom(1)), ...headers), 400, 'invalid_request'),
  );

  test('a producer that begins in the middle is told which number was expected', async () => {
    await refused(append(events(custom(1)), ...key('p', '0', '5')), 409, 'producer_gap');
  });
});

describe('POST /v1/runs/{runId}/cancel', () => {
  test.each<[string, string]>([
    ['a reason that is a number', '{"reason":7}'],
    ['a reason of 5,000 characters', JSON.stringify({ reason: 'x'.repeat(5000) })],
    ['nobody as by', '{"by":""}'],
    ['null as by', '{"by":null}'],
  ])('%s is refused', (_name, body) => refused(post('/v1/runs/open/cancel', body), 400, 'invalid_request'));
});

describe('queries', () => {
  const limits = ['', '0', '-1', '+1', '01', '1.0', '1e1', 'x', '1%00', '99999999999999999999'];
  const pages = ['/v1/runs/open/events', '/v1/threads/open/events'];
  test.each([
    ...[...pages.map((it) => [it, '1001']), ['/v1/runs', '201']].flatMap(([path, tooMany]) =>
      [...limits, tooMany].map((it) => `${path}?limit=${it}`),
    ),
    ...[...pages, '/v1/runs', '/v1/runs/open', '/v1/threads/open', '/healthz', '/readyz'].flatMap((path) => [
      `${path}?surprise=1`,
      `${path}?__proto__=1`,
      `${path}?limit%5B%5D=1`,
    ]),
    '/v1/runs?limit=1&limit=2',
    '/v1/runs?status=happy',
    '/v1/runs?status=',
    '/v1/runs?agent=',
    '/v1/runs?threadId=a%2Fb',
    '/v1/runs?since=yesterday',
    '/v1/runs?since=2026-11-20',
    '/v1/runs?until=1700000000',
    '/v1/runs?until=2026-13-01T00:00:00Z',
    '/v1/runs/open/events?after=x.1&after=x.2',
  ])('GET %s is refused', (target) => refused({ target }, 400, 'invalid_request'));

  test.each(['x', '', 'a.b', '%00', 'x'.repeat(200)])('GET /v1/runs?before=%s is refused', (before) =>
    refused({ target: `/v1/runs?before=${before}` }, 400, 'invalid_cursor'),
  );
});

describe('cursors', () => {
  test.each(['/v1/runs/open/events', '/v1/threads/open/events'])(
    'what is no cursor of this log is refused by %s',
    async (path) => {
      const good = (await ok({ target: path })).cursor as string;
      const foreign = (await ok({ target: '/v1/runs/done/events' })).cursor as string;
      const [epoch] = good.split('.');
      const flipped = [...good].map((char, i) => good.slice(0, i) + (char === '~' ? '!' : '~') + good.slice(i + 1));
      const corpus = [
        '',
        ' ',
        `${good} `,
        ` ${good}`,
        `+${good}`,
        `${epoch}.+1`,
        `${epoch}.-1`,
        `${epoch}.1.5.0`,
        `${epoch}.01`,
        `${epoch}.1e0`,
        `${epoch}.`,
        `.1`,
        `${epoch}`,
        '1',
        `${epoch}.1.0`,
        `${epoch}.1.01`,
        `${epoch}..1`,
        `"${good}"`,
        `${good},${good}`,
        `${epoch}.2`,
        `${epoch}.9007199254740991`,
        `${epoch}.9007199254740993`,
        `${epoch}.99999999999999999999`,
        foreign,
        'x'.repeat(64),
        'x'.repeat(65),
        `${epoch}.${'1'.repeat(65)}`,
        'x'.repeat(15_000),
        `${good}\0`,
        `${good}\n`,
        "' or 1=1 --",
        '*',
        '{"$gt":""}',
        '__proto__.1',
        ...flipped,
      ];
      for (const cursor of corpus) {
        await refused({ target: `${path}?after=${encodeURIComponent(cursor)}` }, 400, 'invalid_cursor');
      }
    },
  );
});

describe('addresses', () => {
  const ids = [
    'none',
    'OPEN',
    'open.',
    'open%20',
    '%00',
    '%0a',
    '%0d%0aX:%20y',
    '%2e%2e%2fopen',
    '..%2f',
    '%F0%9F%92%A5',
    '%7Btag%7D',
    '*',
    ':runId',
    'x'.repeat(8192),
    '__proto__',
    'constructor',
  ];
  test.each(ids)('/v1/runs/%.20s is not there, whatever is asked of it', async (id) => {
    const at = `/v1/runs/${id}`;
    await refused({ target: at }, 404, 'run_not_found');
    await refused({ target: `${at}/events` }, 404, 'run_not_found');
    await refused({ target: `${at}/stream` }, 404, 'run_not_found');
    await refused(post(`${at}/events`, events(custom(1))), 404, 'run_not_found');
    await refused(post(`${at}/cancel`, '{}'), 404, 'run_not_found');
  });

  test.each(ids)('/v1/threads/%.20s is not there, whatever is asked of it', async (id) => {
    await refused({ target: `/v1/threads/${id}` }, 404, 'thread_not_found');
    await refused({ target: `/v1/threads/${id}/events` }, 404, 'thread_not_found');
    await refused({ target: `/v1/threads/${id}/stream` }, 404, 'thread_not_found');
  });

  test.each(['%', '%zz', '%f', '%ff', '%c0%af', '%ed%a0%80', 'open%', 'a\\b', '..\\..'])(
    'the address /v1/runs/%s is not valid',
    (id) => refused({ target: `/v1/runs/${id}` }, 400, 'invalid_request'),
  );

  test.each([
    '/',
    '/v1',
    '/v1/',
    '/v1/runs/',
    '/v1/runs/open/',
    '/v1//runs',
    '//v1/runs',
    '/v2/runs',
    '/v1/runs/open/events/',
    '/V1/runs',
    '/v1/runs/..',
    '/v1/runs/open/..%2f',
    '/.env',
    '/v1/runs/open/nothing',
    '/v1/runs/%2e%2e/',
    '/favicon.ico',
  ])('%s is nothing', (target) => refused({ target }, 404, 'not_found'));

  test.each<[string, string, string]>([
    ['/v1/runs', 'GET, HEAD, POST', 'PUT'],
    ['/v1/runs/open', 'GET, HEAD', 'DELETE'],
    ['/v1/runs/open/events', 'GET, HEAD, POST', 'PATCH'],
    ['/v1/runs/open/stream', 'GET, HEAD', 'POST'],
    ['/v1/runs/open/cancel', 'POST', 'GET'],
    ['/v1/threads/open', 'GET, HEAD', 'OPTIONS'],
    ['/v1/threads/open/events', 'GET, HEAD', 'TRACE'],
    ['/healthz', 'GET, HEAD', 'QUERY'],
    ['/readyz', 'GET, HEAD', 'PROPFIND'],
  ])('%s takes %s and no %s', async (target, allow, method) => {
    await refused({ method, target }, 405, 'method_not_allowed');
    expect((await send(url, { method, target })).headers.allow).toBe(allow);
  });
});
