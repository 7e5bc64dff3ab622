import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { LIMITS } from '../protocol/index.ts';
import { send } from './raw-request.fixture.ts';
import { JSON_TYPE, post, Victim } from './victim.fixture.ts';

let app: Telltale;
let victim: Victim;
const reported: unknown[] = [];

beforeAll(async () => {
  app = telltale({ store: 'memory:', onError: (error) => reported.push(error) });
  app.agent('greeter', (_run, name) => `Hello ${name}`);
  victim = new Victim((await app.listen(0)).url);
  await victim.prepare();
});

afterAll(async () => {
  expect(reported).toEqual([]);
  await app.close();
});

const events = (...list: unknown[]): string => JSON.stringify({ events: list });
const custom = (value: unknown): unknown => ({ type: 'custom', data: { name: 'n', value } });
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const filled = (bytes: number, begin: string, end: string): string =>
  begin + 'x'.repeat(bytes - begin.length - end.length) + end;
const chunked = (body: string, size = 65_536): string => {
  const chunks = body.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
  return `${chunks.map((it) => `${it.length.toString(16)}\r\n${it}\r\n`).join('')}0\r\n\r\n`;
};

const COMMAND_ROUTES = ['cancel', 'pause', 'resume'].map((it) => `/v1/runs/open/${it}`);
const PEOPLE_ROUTES = ['/v1/runs/open/approvals/q', '/v1/runs/open/input'];
const BODY_ROUTES = ['/v1/runs', '/v1/runs/open/events', ...COMMAND_ROUTES, ...PEOPLE_ROUTES];

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
  ])('%s is refused', (_name, body, code) => victim.refuses(post(route, body), 400, code));

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
    victim.refuses(post(route, '{"agent":"greeter"}', ...headers), 415, 'unsupported_media_type'),
  );

  test('one byte more than an append may have is refused, however it comes', async () => {
    const body = filled(LIMITS.batchBytes + 1, '{"reason":"', '"}');
    await victim.refuses(post(route, body), 413, 'batch_too_large');
    await victim.refuses(post(route, chunked(body), JSON_TYPE, 'Transfer-Encoding: chunked'), 413, 'batch_too_large');
    await victim.refuses(
      post(route, chunked(body, 1000), JSON_TYPE, 'Transfer-Encoding: chunked'),
      413,
      'batch_too_large',
    );
  });
});

test('too much from a slow sender, who listens only when he is done, is read to its end all the same', async () => {
  const { host, port } = new URL(victim.url);
  const half = 'x'.repeat(2 * LIMITS.batchBytes);
  const socket = connect(Number(port), '127.0.0.1').pause();
  const broken = once(socket, 'error').then(([error]) => Promise.reject(error));
  const lines = [`Host: ${host}`, 'Connection: close', JSON_TYPE, `Content-Length: ${2 * half.length}`];
  socket.write(`POST /v1/runs HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${half}`);
  await sleep(1_000);
  await Promise.race([broken, new Promise((sent) => socket.write(half, sent))]);
  const said = await Promise.race([broken, once(socket.resume(), 'data')]);
  expect(String(said)).toMatch(/^HTTP\/1\.1 413 /);
  await once(socket, 'close');
  await victim.unchanged();
});

test('a body cut at any byte is refused', async () => {
  const whole = '{"agent":"greeter","input":["Zoë",-1.5e3,true,null,{}]}';
  const bytes = Buffer.from(whole);
  for (let length = 0; length < bytes.length; length++) {
    const { status, body } = await send(victim.url, post('/v1/runs', bytes.subarray(0, length)));
    expect([length, status, JSON.parse(body).code]).toEqual([length, 400, 'invalid_json']);
  }
  await victim.unchanged();
});

describe('POST /v1/runs (P8)', () => {
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
    ['a budget that is a number', '{"agent":"greeter","budget":5}', 400, 'invalid_request'],
    ['a negative budget', '{"agent":"greeter","budget":{"maxCost":-1}}', 400, 'invalid_request'],
    ['a budget beyond all money', '{"agent":"greeter","budget":{"maxCost":1e300}}', 400, 'invalid_request'],
    ['a budget in no currency', '{"agent":"greeter","budget":{"maxCost":1,"currency":"euro"}}', 400, 'invalid_request'],
    ['a budget with a member of its own', '{"agent":"greeter","budget":{"maxTime":1}}', 400, 'invalid_request'],
    ['a remote run that asks', '{"agent":"r","mode":"remote","budget":{"onExceeded":"ask"}}', 400, 'invalid_request'],
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
  ])('%s is refused', (_name, body, status, code) => victim.refuses(post('/v1/runs', body), status, code));
});

describe('POST /v1/runs/{runId}/events (P8, P9)', () => {
  const append = (body: string, ...headers: string[]) => post('/v1/runs/open/events', body, JSON_TYPE, ...headers);

  test.each<[string, string, number, string]>([
    ['no events', '{}', 400, 'invalid_request'],
    ['an empty list', events(), 400, 'invalid_request'],
    ['a member beside the events', `{"dryRun":true,${events(custom(1)).slice(1)}`, 400, 'invalid_request'],
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
  ])('%s is refused', (_name, body, status, code) => victim.refuses(append(body), status, code));

  test.each([
    'stream.reset',
    'stream.bye',
    'stream.',
    'stream.x',
    'STREAM.RESET',
    'Stream.Hello',
    'sTrEaM.caught-up',
    'stream.reset\n',
  ])('the reserved type %s is refused', (type) =>
    victim.refuses(append(events({ type, data: {} })), 400, 'reserved_type'),
  );

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
  ])('the type %j is refused', (type) => victim.refuses(append(events({ type, data: {} })), 400, 'invalid_event'));

  test('appends to a run that has ended are refused', () =>
    victim.refuses(post('/v1/runs/done/events', events(custom(1))), 409, 'run_closed'));

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
    victim.refuses(append(events(custom(1)), ...headers), 400, 'invalid_request'),
  );

  test('a producer that begins in the middle is told which number was expected', async () => {
    await victim.refuses(append(events(custom(1)), ...key('p', '0', '5')), 409, 'producer_gap');
  });
});

describe.each(COMMAND_ROUTES)('POST %s (P8)', (route) => {
  test.each<[string, string]>([
    ['a reason that is a number', '{"reason":7}'],
    ['a reason of 5,000 characters', JSON.stringify({ reason: 'x'.repeat(5000) })],
    ['nobody as by', '{"by":""}'],
    ['null as by', '{"by":null}'],
    ['another command', '{"command":"resume"}'],
    ['an id of its own', '{"commandId":"c"}'],
  ])('%s is refused', (_name, body) => victim.refuses(post(route, body), 400, 'invalid_request'));

  test.each(['', '"a" "b"', 'a, b', '"open', 'x'.repeat(256)])('the Idempotency-Key %j is refused', (key) =>
    victim.refuses(post(route, '{}', JSON_TYPE, `Idempotency-Key: ${key}`), 400, 'invalid_request'),
  );
});

describe('POST /v1/runs/{runId}/approvals/{approvalId} and …/input (P8)', () => {
  const [answer = '', input = ''] = PEOPLE_ROUTES;

  test.each<[string, string, string, number, string]>([
    ['no decision', answer, '{}', 400, 'invalid_request'],
    ['an empty decision', answer, '{"decision":""}', 400, 'invalid_request'],
    ['a decision that is a boolean', answer, '{"decision":true}', 400, 'invalid_request'],
    ['a comment that is a number', answer, '{"decision":"approve","comment":7}', 400, 'invalid_request'],
    [
      'a comment of 5,000 characters',
      answer,
      JSON.stringify({ decision: 'approve', comment: 'x'.repeat(5000) }),
      400,
      'invalid_request',
    ],
    ['nobody as by', answer, '{"decision":"approve","by":""}', 400, 'invalid_request'],
    ['a question that was not asked', answer, '{"decision":"approve"}', 404, 'approval_not_found'],
    [
      'a question with a hostile id',
      '/v1/runs/open/approvals/__proto__',
      '{"decision":"approve"}',
      404,
      'approval_not_found',
    ],
    [
      'a question of a run that is not there',
      '/v1/runs/none/approvals/q',
      '{"decision":"approve"}',
      404,
      'run_not_found',
    ],
    ['no input', input, '{}', 400, 'invalid_request'],
    ['an id of its own', input, '{"input":1,"inputId":"mine"}', 400, 'invalid_request'],
    ['null as by', input, '{"input":1,"by":null}', 400, 'invalid_request'],
    [
      'an input larger than an event',
      input,
      JSON.stringify({ input: 'x'.repeat(LIMITS.eventBytes) }),
      413,
      'event_too_large',
    ],
    ['input to a run that has ended', '/v1/runs/done/input', '{"input":1}', 409, 'run_closed'],
  ])('%s is refused', (_name, route, body, status, code) => victim.refuses(post(route, body), status, code));
});
