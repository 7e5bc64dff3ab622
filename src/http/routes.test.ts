import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, TelltaleError, telltale } from '../index.ts';

let app: Telltale;
let url: string;

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  app.agent('greeter', async (run, name: string) => {
    await run.say(`Hello ${name}.`);
    return { greeted: name };
  });
  app.agent('sleeper', (run) => new Promise((resolve) => run.signal.addEventListener('abort', resolve)));
  ({ url } = await app.listen(0));
});

afterAll(() => app.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every route, compared member by member
  readonly body: any;
}

async function call(path: string, init: RequestInit = {}, at = url): Promise<Answer> {
  const response = await fetch(at + path, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

const post = (path: string, body?: unknown, headers: Record<string, string> = {}, at = url) =>
  call(
    path,
    {
      method: 'POST',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json', ...headers },
    },
    at,
  );

const custom = (value: unknown) => ({ type: 'custom', data: { name: 'n', value } });

async function remote(runId: string, threadId = runId): Promise<void> {
  expect((await post('/v1/runs', { agent: 'remote', runId, threadId, mode: 'remote' })).status).toBe(201);
}

/** Every event of a run, page by page. */
async function pages(
  path: string,
  limit: number,
  at = url,
): Promise<{ events: object[]; requests: number; last: Answer['body'] }> {
  const events: object[] = [];
  let last: Answer['body'];
  let after = '';
  let requests = 0;
  do {
    ({ body: last } = await call(`${path}?limit=${limit}${after}`, {}, at));
    events.push(...last.events);
    after = `&after=${last.cursor}`;
    requests++;
  } while (last.more);
  return { events, requests, last };
}

/** Every event of a run that has ended, from its stream. */
async function stream(path: string): Promise<object[]> {
  const messages: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (message) => messages.push(message) });
  parser.feed(await (await fetch(url + path)).text());
  return messages.filter(({ event }) => !event?.startsWith('stream.')).map(({ data }) => JSON.parse(data));
}

describe('starting runs (P8)', () => {
  test('answers 201 with where to find it, and the run runs', async () => {
    const { status, headers, body } = await post('/v1/runs', {
      agent: 'greeter',
      input: 'Ada',
      runId: 'ada',
      threadId: 'talk',
      metadata: { from: 'test' },
    });
    expect([status, headers.get('location')]).toEqual([201, '/v1/runs/ada']);
    expect(body).toEqual({
      runId: 'ada',
      threadId: 'talk',
      status: expect.stringMatching(/queued|running/),
      cursor: expect.stringMatching(/^[a-z0-9]+\.1$/),
      links: {
        self: '/v1/runs/ada',
        stream: '/v1/runs/ada/stream',
        events: '/v1/runs/ada/events',
        cancel: '/v1/runs/ada/cancel',
      },
    });
    expect(await stream(body.links.stream)).toEqual((await pages('/v1/runs/ada/events', 1000)).events);
    const { body: snapshot } = await call('/v1/runs/ada');
    expect(snapshot).toMatchObject({
      runId: 'ada',
      threadId: 'talk',
      status: 'completed',
      agent: 'greeter',
      input: 'Ada',
      metadata: { from: 'test' },
      output: { greeted: 'Ada' },
      messages: [{ text: 'Hello Ada.' }],
    });
    expect(snapshot.cursor).toBe(`${snapshot.epoch}.${snapshot.seq}`);
  });

  test('makes an id where none is given, and takes every spelling of UTF-8 JSON', async () => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"']) {
      const { status, body } = await post(
        '/v1/runs',
        { agent: 'greeter', input: '\ud800 Zoë 💥' },
        { 'content-type': type },
      );
      expect(status).toBe(201);
      expect(body.runId).toMatch(/^[0-9a-z]{25}$/);
      expect(body.threadId).toBe(body.runId);
      // A lone surrogate cannot be encoded, but it can be escaped: it comes back as it went in.
      expect((await call(`/v1/runs/${body.runId}`)).body.input).toBe('\ud800 Zoë 💥');
    }
  });

  test('of a key that comes twice the last counts, and __proto__ is a key like others', async () => {
    const headers = { 'content-type': 'application/json' };
    const body =
      '{"agent":"nobody","agent":"remote","mode":"remote","runId":"twice","input":{"__proto__":{"x":1},"a":1,"a":2}}';
    expect((await call('/v1/runs', { method: 'POST', headers, body })).status).toBe(201);
    const text = await (await fetch(`${url}/v1/runs/twice/events`)).text();
    expect(text).toContain('"input":{"__proto__":{"x":1},"a":2}');
  });

  test('takes an input as deep and as large as an event may be', async () => {
    const deep = `${'['.repeat(63)}${']'.repeat(63)}`;
    const bodies = [`"input":${deep}`, `"input":"${'x'.repeat(255 * 1024)}"`];
    for (const member of bodies) {
      const body = `{"agent":"remote","mode":"remote",${member}}`;
      expect(
        (await call('/v1/runs', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
      ).toBe(201);
    }
  });
});

describe('appending (P8)', () => {
  test('numbers the batch, and gives the same numbers for the same producer key', async () => {
    await remote('producer');
    const key = (seq: number, epoch = 0) => ({
      'producer-id': 'p1',
      'producer-epoch': String(epoch),
      'producer-seq': String(seq),
    });
    const append = (events: object[], headers: Record<string, string>) =>
      post('/v1/runs/producer/events', { events }, headers);
    const first = await append([custom(1), custom(2)], key(0));
    const { epoch } = first.body;
    expect([first.status, first.body]).toEqual([200, { epoch, first: 2, last: 3, cursor: `${epoch}.3` }]);
    expect((await append([custom(3)], key(1))).body).toMatchObject({ first: 4, last: 4 });

    const again = await append([custom(1), custom(2)], key(0));
    expect([again.status, again.body]).toEqual([200, { ...first.body, duplicate: true }]);
    expect((await append([custom(1), custom(9)], key(0))).body).toMatchObject({
      status: 409,
      code: 'producer_conflict',
    });
    expect((await append([custom(1)], key(7))).body).toMatchObject({ status: 409, code: 'producer_gap', expected: 2 });
    expect((await append([custom(4)], key(0, 3))).body).toMatchObject({ first: 5, last: 5 });
    expect((await append([custom(4)], key(2))).body).toMatchObject({ status: 403, code: 'producer_fenced', epoch: 3 });
    expect((await call('/v1/threads/producer')).body.latest).toBe(5);
  });

  test('takes a whole batch of the largest count, and data as deep as allowed', async () => {
    await remote('large');
    const deep = JSON.parse(`${'['.repeat(63)}${']'.repeat(63)}`);
    const events = [{ type: 'my.own', data: { deep } }, ...Array.from({ length: 999 }, (_, i) => custom(i))];
    expect((await post('/v1/runs/large/events', { events })).body).toMatchObject({ first: 2, last: 1001 });
    const page = await call('/v1/runs/large/events?limit=2');
    expect(page.body.events[1]).toMatchObject({ type: 'my.own', data: { deep } });
  });

  test('ends a remote run with its terminal event', async () => {
    await remote('ending');
    await post('/v1/runs/ending/events', { events: [custom(1), { type: 'run.completed', data: { output: 7 } }] });
    expect((await call('/v1/runs/ending')).body).toMatchObject({ status: 'completed', output: 7, events: 3 });
    expect((await post('/v1/runs/ending/events', { events: [custom(2)] })).body).toMatchObject({
      status: 409,
      code: 'run_closed',
    });
  });
});

describe('pages of events (P7, P8)', () => {
  test.each([1, 2, 7, 100])('of %i lead through a run to the same events as its stream', async (limit) => {
    const runId = `pages${limit}`;
    await remote(runId);
    await post(`/v1/runs/${runId}/events`, { events: Array.from({ length: 12 }, (_, i) => custom(i)) });
    const open = await pages(`/v1/runs/${runId}/events`, limit);
    expect(open.last).toMatchObject({ more: false, ended: false });
    await post(`/v1/runs/${runId}/events`, { events: [{ type: 'run.completed', data: {} }] });
    // Who was at the end goes on from there.
    const rest = (await call(`/v1/runs/${runId}/events?after=${open.last.cursor}`)).body;
    expect(rest).toMatchObject({ events: [{ seq: 14, type: 'run.completed' }], more: false, ended: true });
    expect((await call(`/v1/runs/${runId}/events?after=${rest.cursor}`)).body).toEqual({ ...rest, events: [] });

    const { events, requests, last } = await pages(`/v1/runs/${runId}/events`, limit);
    expect(events).toEqual(await stream(`/v1/runs/${runId}/stream`));
    expect([last.ended, requests]).toEqual([true, Math.ceil(14 / limit)]);
  });

  test('of a run leave out the other runs of its thread, whose page has them all', async () => {
    await remote('left', 'shared');
    await remote('right', 'shared');
    for (let i = 0; i < 5; i++) {
      for (const run of ['left', 'right']) await post(`/v1/runs/${run}/events`, { events: [custom(i)] });
    }
    const left = await pages('/v1/runs/left/events', 2);
    expect(left.events.map((event) => (event as { seq: number }).seq)).toEqual([1, 3, 5, 7, 9, 11]);
    const shared = await pages('/v1/threads/shared/events', 5);
    expect(shared.events).toHaveLength(12);
    expect(shared.last).not.toHaveProperty('ended');
    expect((await call('/v1/threads/shared')).body).toEqual({
      threadId: 'shared',
      epoch: shared.last.cursor.split('.')[0],
      earliest: 1,
      latest: 12,
      cursor: shared.last.cursor,
    });
  });

  test('end after about a megabyte, whatever their limit', async () => {
    await remote('heavy');
    const big = custom('x'.repeat(200_000));
    for (let i = 0; i < 4; i++) await post('/v1/runs/heavy/events', { events: [big, big, big, big] });
    const { body } = await call('/v1/runs/heavy/events?limit=1000');
    expect(body.more).toBe(true);
    expect(JSON.stringify(body).length).toBeLessThan(1.3 * 1024 * 1024);
    expect((await pages('/v1/runs/heavy/events', 1000)).events).toHaveLength(17);
  });
});

describe('lists of runs (P8)', () => {
  test('are newest first, filtered and paged', async () => {
    for (let i = 0; i < 5; i++) await remote(`list${i}`, 'list');
    await post('/v1/runs/list3/events', {
      events: [{ type: 'run.failed', data: { error: { code: 'x', message: 'y' } } }],
    });
    const ids = async (query: string) =>
      (await call(`/v1/runs?threadId=list&${query}`)).body.runs.map((it: { runId: string }) => it.runId);
    expect(new Set(await ids(''))).toEqual(new Set(['list0', 'list1', 'list2', 'list3', 'list4']));
    expect(await ids('status=failed')).toEqual(['list3']);
    expect(await ids('agent=nobody')).toEqual([]);
    expect(await ids('since=2999-01-01T00:00:00Z')).toEqual([]);
    expect(await ids('until=2999-01-01T00:00:00%2B02:00')).toHaveLength(5);

    const seen: string[] = [];
    let before = '';
    for (let more = true; more; ) {
      const { runs, next } = (await call(`/v1/runs?threadId=list&limit=2${before}`)).body;
      seen.push(...runs.map((it: { runId: string }) => it.runId));
      before = `&before=${next}`;
      more = next !== undefined;
    }
    expect(seen).toEqual(await ids(''));

    const [run] = (await call('/v1/runs?threadId=list&status=failed')).body.runs;
    expect(run).toEqual({
      runId: 'list3',
      threadId: 'list',
      agent: 'remote',
      status: 'failed',
      createdAt: expect.any(String),
      endedAt: expect.any(String),
      lastAt: expect.any(String),
      first: expect.any(Number),
      last: expect.any(Number),
      events: 2,
    });
  });
});

describe('cancelling (P8, P10)', () => {
  test('is accepted with its number, reaches the agent, and is told as done afterwards', async () => {
    await post('/v1/runs', { agent: 'sleeper', runId: 'asleep' });
    const { status, body } = await post('/v1/runs/asleep/cancel', { reason: 'enough', by: 'me' });
    expect([status, body]).toEqual([202, { commandId: expect.any(String), status: 'running', seq: 2 }]);
    expect(await stream('/v1/runs/asleep/stream')).toMatchObject([
      { type: 'run.started' },
      { type: 'control.requested', data: { command: 'cancel', commandId: body.commandId, reason: 'enough', by: 'me' } },
      { type: 'run.cancelled', data: { commandId: body.commandId, reason: 'enough', by: 'me' } },
    ]);
    const again = await post('/v1/runs/asleep/cancel');
    expect([again.status, again.body]).toEqual([200, { status: 'cancelled' }]);
  });

  test('needs no body', async () => {
    await remote('bare');
    expect((await call('/v1/runs/bare/cancel', { method: 'POST' })).status).toBe(202);
  });
});

describe('every answer (P8)', () => {
  test('to HEAD is that to GET without its body', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/runs', '/v1/runs/ada', '/v1/runs/ada/events', '/v1/threads/talk']) {
      const [head, get] = [await fetch(url + path, { method: 'HEAD' }), await fetch(url + path)];
      expect([path, head.status, await head.text()]).toEqual([path, 200, '']);
      expect(head.headers.get('content-type')).toBe(get.headers.get('content-type'));
      await get.body?.cancel();
    }
    expect((await fetch(`${url}/v1/runs/none`, { method: 'HEAD' })).status).toBe(404);
  });

  test('cannot be sniffed, embedded or cached', async () => {
    for (const path of ['/healthz', '/v1/runs/none']) {
      const { headers } = await call(path);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
    }
  });

  test('of the health routes names the durability', async () => {
    expect((await call('/healthz')).body).toEqual({ status: 'ok', durability: 'memory' });
    expect((await call('/readyz')).body).toEqual({ status: 'ok', durability: 'memory' });
    expect((await call('/v1/runs?limit=200')).body.runs.map((it: { runId: string }) => it.runId)).not.toContain(
      '.probe',
    );
  });

  test('to a failure nobody expected is an id, which names it in the report, and no detail', async () => {
    const reports: unknown[][] = [];
    const broken = telltale({ store: 'memory:', onError: (...report) => reports.push(report) });
    const server = await broken.listen(0);
    const log = await broken.log();
    const secret = 'secret /etc/passwd';
    for (const cause of [new Error(secret), new TelltaleError('internal', secret), secret, undefined]) {
      Object.assign(log.runs, { list: () => Promise.reject(cause) });
      const { status, body } = await call('/v1/runs', {}, server.url);
      expect([status, body.code, body.errorId]).toEqual([500, 'internal', expect.stringMatching(/^[a-z0-9]{12}$/)]);
      expect(JSON.stringify(body)).not.toMatch(/secret|passwd|Error/);
      expect(reports.pop()).toEqual([cause, { errorId: body.errorId, method: 'GET', path: '/v1/runs' }]);
    }

    const disk = new TelltaleError('log_unavailable', secret, { dir: secret }, { cause: new Error(secret) });
    Object.assign(log.runs, { list: () => Promise.reject(disk) });
    const { status, body } = await call('/v1/runs', {}, server.url);
    expect([status, body.code, body.retryable]).toEqual([503, 'log_unavailable', true]);
    expect(JSON.stringify(body)).not.toMatch(/secret|passwd/);
    expect(reports.pop()).toEqual([disk, { errorId: body.errorId, method: 'GET', path: '/v1/runs' }]);

    await log.close();
    const unready = await call('/readyz', {}, server.url);
    expect([unready.status, unready.body.code, unready.body.retryable]).toEqual([503, 'log_closed', true]);
    expect(unready.headers.get('retry-after')).toBe('1');
    expect((await call('/healthz', {}, server.url)).status).toBe(200);
    await broken.close();
  });
});

test('a restart on the embedded store keeps every byte that was served (P1)', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-http-'));
  const paths = ['/v1/runs', '/v1/runs/kept', '/v1/runs/kept/events', '/v1/threads/kept', '/v1/threads/kept/events'];
  const served = (at: string) => Promise.all(paths.map(async (path) => (await fetch(at + path)).text()));
  try {
    const first = telltale({ store: dir });
    const { url: before } = await first.listen(0);
    await post('/v1/runs', { agent: 'remote', mode: 'remote', runId: 'kept' }, {}, before);
    const key = { 'producer-id': 'p', 'producer-epoch': '1', 'producer-seq': '0' };
    const ack = await post('/v1/runs/kept/events', { events: [custom(1), custom('ä')] }, key, before);
    expect((await call('/healthz', {}, before)).body.durability).toBe('disk');
    const texts = await served(before);
    await first.close();

    const second = telltale({ store: `file:${dir}` });
    const { url: after } = await second.listen(0);
    expect(await served(after)).toEqual(texts);
    const again = await post('/v1/runs/kept/events', { events: [custom(1), custom('ä')] }, key, after);
    expect(again.body).toEqual({ ...ack.body, duplicate: true });
    expect(
      (await post('/v1/runs/kept/events', { events: [{ type: 'run.completed', data: {} }] }, {}, after)).body.first,
    ).toBe(4);
    await second.close();
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
