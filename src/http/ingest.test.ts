import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hub } from '../hub/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { LIMITS, TelltaleError } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import { readAll, values } from '../testing/log/kit.ts';
import { createApp, type Listening, listen } from './index.ts';
import { openLines, sendLines } from './line-client.fixture.ts';
import { LineIntake } from './line-intake.ts';

const IDLE_MS = 300;
const reported: unknown[] = [];
let log: Log;
let runs: Runs;
let server: Listening;
let appends: { count: number; hold?: Promise<void> };

beforeAll(async () => {
  appends = { count: 0 };
  log = counting(openMemory(), appends);
  runs = new Runs(log);
  const onError = (error: unknown) => reported.push(error);
  const hub = new Hub(log, { onError });
  const context = { log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError };
  server = await listen(createApp({ ...context, ingestIdleMs: IDLE_MS }), {
    port: 0,
    host: '127.0.0.1',
    onError,
    requestTimeoutMs: 100,
  });
});

afterAll(async () => {
  await server.close();
  expect(reported).toEqual([]);
});

function counting(inner: Log, counts: typeof appends): Log {
  const { append } = inner;
  inner.append = async (...args) => {
    await counts.hold;
    counts.count++;
    return append.apply(inner, args);
  };
  return inner;
}

const line = (value: unknown) => `${JSON.stringify({ type: 'custom', data: { name: 'n', value } })}\n`;
const eventsOf = (runId: string) => `${server.url}/v1/runs/${runId}/events`;
const key = (seq: number, epoch = 0) => ({
  'producer-id': 'p',
  'producer-epoch': String(epoch),
  'producer-seq': String(seq),
});

async function open(runId: string): Promise<string> {
  await runs.start({ agent: 'remote', runId, mode: 'remote' });
  return eventsOf(runId);
}
const stored = async (runId: string) => values(await readAll(log, runId));

describe('events as lines, for as long as it takes (P8)', () => {
  test('each batch is acknowledged while the request goes on', async () => {
    const client = openLines(await open('live'));
    client.write(line(1));
    expect(await client.next()).toMatchObject({ first: 2, last: 2, cursor: expect.stringMatching(/\.2$/) });
    client.write(line(2) + line(3));
    expect(await client.next()).toMatchObject({ first: 3, last: 4 });
    expect(await stored('live')).toEqual([1, 2, 3]);
    client.request.end();
    expect(await client.next()).toBeUndefined();
    expect((await client.response).headers['content-type']).toBe('application/x-ndjson');
  });

  test('lines that come while others are being stored become one batch', async () => {
    const chunks = Array.from({ length: 50 }, (_, i) => new TextEncoder().encode(line(i)));
    const body = new ReadableStream({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(chunk);
        controller.close();
      },
    });
    const intake = new LineIntake(body, { lineBytes: 1000, batchLines: 40, batchBytes: 10_000, idleMs: 1000 });
    await new Promise(setImmediate);
    expect((await intake.take()).map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    expect(await intake.take()).toHaveLength(10);
    expect(await intake.take()).toEqual([]);
  });

  test('the time-out of requests does not cut it; silence does, and is told', async () => {
    const client = openLines(await open('idle'));
    const until = performance.now() + 3 * IDLE_MS;
    for (let i = 0; performance.now() < until; i++) {
      client.write(line(i));
      expect(await client.next()).toMatchObject({ first: i + 2 });
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(await client.next()).toMatchObject({ code: 'request_timeout', retryable: true, idleMs: IDLE_MS });
    expect(await client.next()).toBeUndefined();
  });

  test('blank lines and CRLF are tolerated', async () => {
    const text = `\r\n${line(1).replace('\n', '\r\n')}  \n\n${line(2)}`;
    expect(await sendLines(await open('blank'), text)).toMatchObject([{ first: 2, last: 3 }]);
    expect(await stored('blank')).toEqual([1, 2]);
  });

  test.each([
    ['a last line without its end', line(2).trimEnd(), { code: 'invalid_request', line: 3 }],
    ['no JSON', 'nonsense\n', { code: 'invalid_json' }],
    ['an event that is none', '{"type":"custom","data":{}}\n', { code: 'invalid_event' }],
    ['a reserved type', '{"type":"run.started","data":{"agent":"a"}}\n', { code: 'reserved_type' }],
    ['too deep', `{"type":"custom","data":${'{"a":'.repeat(70)}1${'}'.repeat(70)}}\n`, { code: 'too_deep' }],
  ])('%s: told with its line; the lines before it are stored, none after it', async (_name, bad, problem) => {
    const runId = `bad-${appends.count}`;
    const answers = await sendLines(
      await open(runId),
      `${line(0)}${line(1)}${bad}${bad.endsWith('\n') ? line(3) : ''}`,
    );
    const last = answers.pop();
    expect(last).toMatchObject(problem);
    expect(last.detail).toMatch(/line 3/i);
    expect(answers.at(-1)).toMatchObject({ last: 3 });
    expect(await stored(runId)).toEqual([0, 1]);
  });

  test('an endless line is refused at the limit of an event, long before its end', async () => {
    const client = openLines(await open('endless'));
    client.write(line(1) + '"'.padEnd(LIMITS.eventBytes + 1, 'x'));
    expect(await client.next()).toMatchObject({ first: 2, last: 2 });
    expect(await client.next()).toMatchObject({ code: 'event_too_large', line: 2 });
    expect(await client.next()).toBeUndefined();
    client.request.destroy();
  });

  test('a terminal event ends the run wherever it comes; what follows is refused', async () => {
    const end = `${JSON.stringify({ type: 'run.completed', data: {} })}\n`;
    const answers = await sendLines(await open('ended'), line(1) + end + line(2));
    expect(answers.pop()).toMatchObject({ code: 'run_closed' });
    expect(answers.at(-1)).toMatchObject({ last: 3 });
  });

  test('more than a batch may hold goes into several', async () => {
    const lines = Array.from({ length: 2_500 }, (_, i) => line(i)).join('');
    const answers = await sendLines(await open('many'), lines);
    for (const { first, last } of answers) expect(last - first).toBeLessThan(LIMITS.batchEvents);
    expect(await stored('many')).toHaveLength(2_500);
  });

  test('a producer that sends more than the log takes is stopped: at most 1 MiB waits', async () => {
    const url = await open('full');
    const held = Promise.withResolvers<void>();
    appends.hold = held.promise;
    const client = openLines(url);
    const big = line('x'.repeat(64 * 1024));
    let sent = 0;
    // Until the connection takes nothing for a while, or far too much was taken.
    const total = 64 * 1024 * 1024;
    for (let full = false; !full && sent < total; sent += big.length) {
      if (client.request.write(big)) continue;
      const drained = new Promise<boolean>((resolve) => client.request.once('drain', () => resolve(false)));
      full = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(resolve, IDLE_MS * 2, true))]);
    }
    expect(sent).toBeLessThan(total / 2);
    delete appends.hold;
    held.resolve();
    client.request.end();
    let last = 0;
    for (let ack = await client.next(); ack !== undefined; ack = await client.next()) last = ack.last;
    expect(last).toBe(1 + Math.ceil(sent / big.length));
  });

  test.each([
    ['another type', { 'content-type': 'text/plain' }],
    ['a content coding', { 'content-encoding': 'gzip' }],
  ])('%s is refused with its status', async (_name, headers) => {
    const [answer] = await sendLines(await open(`type-${appends.count}`), line(1), headers);
    expect(answer).toMatchObject({ status: 415 });
  });

  test('a run that is not there is 404', async () => {
    expect(await sendLines(eventsOf('nobody'), line(1))).toMatchObject([{ status: 404, code: 'run_not_found' }]);
  });
});

describe('lines with a producer key (P8)', () => {
  const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => line(from + i)).join('');

  test('each line counts one; a repetition may begin and be cut anywhere', async () => {
    const url = await open('keyed');
    expect(await sendLines(url, lines(0, 5), key(0))).toMatchObject([{ first: 2, last: 6 }]);
    const again = await sendLines(url, lines(3, 9), key(3));
    expect(again).toMatchObject([
      { first: 5, last: 6, duplicate: true },
      { first: 7, last: 10 },
    ]);
    expect(await stored('keyed')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('numbers go on from batch to batch of one request', async () => {
    const client = openLines(await open('steps'), key(0));
    client.write(lines(0, 3));
    expect(await client.next()).toMatchObject({ first: 2, last: 4 });
    client.write(`\n${lines(3, 5)}`);
    expect(await client.next()).toMatchObject({ first: 5, last: 6 });
    client.request.end();
    expect(await client.next()).toBeUndefined();
  });

  test('a line is what a JSON append of one event is, with the same number', async () => {
    const url = await open('both');
    await sendLines(url, lines(0, 3), key(0));
    const post = (value: unknown, seq: number) =>
      fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...key(seq) },
        body: `{"events":[${line(value)}]}`,
      }).then((response) => response.json());
    expect(await post(2, 2)).toMatchObject({ first: 4, duplicate: true });
    expect(await post(3, 3)).toMatchObject({ first: 5 });
    expect(await sendLines(url, lines(3, 5), key(3))).toMatchObject([{ first: 5, duplicate: true }, { first: 6 }]);
  });

  test('a hole, other content and an older epoch are refused as in JSON', async () => {
    const url = await open('refused');
    await sendLines(url, lines(0, 3), key(0, 1));
    expect(await sendLines(url, lines(4, 5), key(4, 1))).toMatchObject([{ code: 'producer_gap', expected: 3 }]);
    expect(await sendLines(url, line(0) + line('other'), key(0, 1))).toMatchObject([
      { first: 2, last: 2, duplicate: true },
      { code: 'producer_conflict' },
    ]);
    expect(await sendLines(url, lines(0, 1), key(0, 0))).toMatchObject([{ code: 'producer_fenced', epoch: 1 }]);
    expect(await stored('refused')).toEqual([0, 1, 2]);
  });
});

test('a failure of the log in the middle is the last line, and is reported', async () => {
  const url = await open('away');
  const client = openLines(url);
  client.write(line(1));
  await client.next();
  appends.hold = Promise.reject(new TelltaleError('log_unavailable', 'The disk is away.'));
  appends.hold.catch(() => undefined);
  client.write(line(2) + line(3));
  expect(await client.next()).toMatchObject({ code: 'log_unavailable', retryable: true });
  expect(await client.next()).toBeUndefined();
  delete appends.hold;
  expect(reported.splice(0)).toHaveLength(1);
  expect(await stored('away')).toEqual([1]);
});

// Hono stays in the picture: an answer needs no Node server.
test('on a host without Node sockets it works too', async () => {
  await open('portable');
  const context = { log, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError: () => {} };
  const app = new Hono().route('/', createApp({ ...context, hub: new Hub(log, { onError: () => {} }) }));
  const response = await app.request('http://localhost/v1/runs/portable/events', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson', host: 'localhost' },
    body: line(1),
  });
  expect(await response.text()).toMatch(/"first":2,"last":2/);
});
