import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { send } from './raw-request.fixture.ts';
import { post, Victim } from './victim.fixture.ts';

let app: Telltale;
let victim: Victim;
const reported: unknown[] = [];

beforeAll(async () => {
  app = telltale({ store: 'memory:', onError: (error) => reported.push(error) });
  victim = new Victim((await app.listen(0)).url);
  await victim.prepare();
});

afterAll(async () => {
  expect(reported).toEqual([]);
  await app.close();
});

describe('queries (P8)', () => {
  const limits = ['', '0', '-1', '+1', '01', '1.0', '1e1', 'x', '1%00', '99999999999999999999'];
  const pages = ['/v1/runs/open/events', '/v1/threads/open/events'];
  test.each([
    ...[...pages.map((it) => [it, '1001']), ['/v1/runs', '201']].flatMap(([path, tooMany]) =>
      [...limits, tooMany].map((it) => `${path}?limit=${it}`),
    ),
    ...[
      ...pages,
      '/v1/runs',
      '/v1/runs/open',
      '/v1/threads/open',
      '/v1/agents',
      '/v1/whoami',
      '/healthz',
      '/readyz',
      '/openapi.json',
      '/docs',
      '/assets/icon.svg',
    ].flatMap((path) => [`${path}?surprise=1`, `${path}?__proto__=1`, `${path}?limit%5B%5D=1`]),
    ...['0', '61', '-1', '1.5', '', 'x'].map((it) => `/v1/runs/open/events?wait=${it}`),
    '/v1/runs?limit=1&limit=2',
    '/v1/runs?status=happy',
    '/v1/runs?status=',
    '/v1/runs?status=running,',
    '/v1/runs?status=running,happy',
    '/v1/runs?agent=',
    '/v1/runs?details=yes',
    '/v1/runs?threadId=a%2Fb',
    '/v1/runs?since=yesterday',
    '/v1/runs?since=2026-11-20',
    '/v1/runs?until=1700000000',
    '/v1/runs?until=2026-13-01T00:00:00Z',
    '/v1/runs/open/events?after=x.1&after=x.2',
  ])('GET %s is refused', (target) => victim.refuses({ target }, 400, 'invalid_request'));

  test.each(['x', '', 'a.b', '%00', 'x'.repeat(200)])('GET /v1/runs?before=%s is refused', (before) =>
    victim.refuses({ target: `/v1/runs?before=${before}` }, 400, 'invalid_cursor'),
  );
});

describe('cursors (P4, P8)', () => {
  test.each(['/v1/runs/open/events', '/v1/threads/open/events'])(
    'what is no cursor of this log is refused by %s',
    async (path) => {
      const good = (await victim.ok({ target: path })).cursor as string;
      const foreign = (await victim.ok({ target: '/v1/runs/done/events' })).cursor as string;
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
        await victim.refuses({ target: `${path}?after=${encodeURIComponent(cursor)}` }, 400, 'invalid_cursor');
      }
    },
  );
});

describe('addresses (P1, P8)', () => {
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
    await victim.refuses({ target: at }, 404, 'run_not_found');
    await victim.refuses({ target: `${at}/events` }, 404, 'run_not_found');
    await victim.refuses({ target: `${at}/stream` }, 404, 'run_not_found');
    await victim.refuses(post(`${at}/events`, '{"events":[{"type":"my.own","data":{}}]}'), 404, 'run_not_found');
    for (const it of ['cancel', 'pause', 'resume']) {
      await victim.refuses(post(`${at}/${it}`, '{}'), 404, 'run_not_found');
    }
    await victim.refuses({ method: 'DELETE', target: at }, 404, 'run_not_found');
  });

  test.each(ids)('/v1/threads/%.20s is not there, whatever is asked of it', async (id) => {
    await victim.refuses({ target: `/v1/threads/${id}` }, 404, 'thread_not_found');
    await victim.refuses({ target: `/v1/threads/${id}/events` }, 404, 'thread_not_found');
    await victim.refuses({ target: `/v1/threads/${id}/stream` }, 404, 'thread_not_found');
  });

  test.each(['%', '%zz', '%f', '%ff', '%c0%af', '%ed%a0%80', 'open%', 'a\\b', '..\\..'])(
    'the address /v1/runs/%s is not valid',
    (id) => victim.refuses({ target: `/v1/runs/${id}` }, 400, 'invalid_request'),
  );

  test.each([
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
    '/runs/',
    '/assets/..%2findex.html',
    '/assets/__proto__',
  ])('%s is nothing', (target) => victim.refuses({ target }, 404, 'not_found'));

  test.each<[string, string, string]>([
    ['/v1/runs', 'GET, HEAD, POST', 'PUT'],
    ['/v1/runs/open', 'DELETE, GET, HEAD', 'PUT'],
    ['/v1/runs/open/events', 'GET, HEAD, POST', 'PATCH'],
    ['/v1/runs/open/stream', 'GET, HEAD', 'POST'],
    ...['cancel', 'pause', 'resume'].map((it): [string, string, string] => [`/v1/runs/open/${it}`, 'POST', 'GET']),
    ['/v1/threads/open', 'GET, HEAD', 'OPTIONS'],
    ['/v1/threads/open/events', 'GET, HEAD, POST', 'TRACE'],
    ['/healthz', 'GET, HEAD', 'QUERY'],
    ['/readyz', 'GET, HEAD', 'PROPFIND'],
    ['/openapi.json', 'GET, HEAD', 'POST'],
    ['/docs', 'GET, HEAD', 'POST'],
    ['/v1/agents', 'GET, HEAD', 'POST'],
    ['/v1/whoami', 'GET, HEAD', 'DELETE'],
    ['/', 'GET, HEAD', 'POST'],
    ['/runs/open', 'GET, HEAD', 'DELETE'],
  ])('%s takes %s and no %s', async (target, allow, method) => {
    await victim.refuses({ method, target }, 405, 'method_not_allowed');
    expect((await send(victim.url, { method, target })).headers.allow).toBe(allow);
  });
});
