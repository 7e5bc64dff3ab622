import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { openMemory } from '../log/memory.ts';
import { Runs } from '../runs/index.ts';
import { send } from './raw-request.fixture.ts';
import { JSON_TYPE, post } from './victim.fixture.ts';

describe.each(['memory', 'embedded'])('Idempotency-Key of POST /v1/runs (P8), %s store', (kind) => {
  let dir: string;
  let app: Telltale;
  let urls: string[];
  const calls: unknown[] = [];

  const open = async () => {
    app = telltale({ store: kind === 'memory' ? 'memory:' : dir });
    app.agent('greeter', async (run, name) => {
      calls.push(name);
      await run.say(`Hello ${name}`);
    });
    urls = [(await app.listen(0)).url, (await app.listen(0)).url];
  };
  const start = async (key: string, body: object | string, server = 0) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const {
      status,
      headers,
      body: answer,
    } = await send(urls[server]!, post('/v1/runs', text, JSON_TYPE, `Idempotency-Key: ${key}`));
    return { status, location: headers.location, body: JSON.parse(answer) };
  };
  const ended = async (runId: string) => {
    const stream = await fetch(`${urls[0]}/v1/runs/${runId}/stream`);
    return stream.text();
  };
  const ids = async () => JSON.parse((await send(urls[0]!, { target: '/v1/runs?limit=200' })).body).runs;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-'));
    await open();
  });
  afterAll(async () => {
    await app.close();
    await rm(dir, { recursive: true });
  });

  test('the same request again answers as the first time: 200 in place of 201, and the status now', async () => {
    const first = await start('again', { agent: 'greeter', input: { a: 1, b: 2 } });
    expect(first).toMatchObject({ status: 201, body: { status: 'running' } });
    expect(first.body.duplicate).toBeUndefined();
    await ended(first.body.runId);
    const again = await start('again', '{"input":{"b":2,"a":1},"mode":"local","agent":"greeter"}');
    const { status: _, ...answer } = first.body;
    expect(again).toEqual({
      status: 200,
      location: first.location,
      body: { ...answer, status: 'completed', duplicate: true },
    });
    // With quotes, as RFC 8941 writes a string, it is the same key.
    expect((await start('"again"', { agent: 'greeter', input: { a: 1, b: 2 } })).body).toEqual(again.body);
    expect((await start('other', { agent: 'greeter', input: { a: 1, b: 2 } })).status).toBe(201);
  });

  test.each([
    { agent: 'greeter', input: 'Bo' },
    { agent: 'greeter', input: 'Al', threadId: 'elsewhere' },
    { agent: 'greeter', input: 'Al', metadata: {} },
    { agent: 'greeter', input: 'Al', mode: 'remote' },
    { agent: 'greeter', input: 'Al', mode: 'remote', lease: 9 },
  ])('the same key with another request is refused: %j', async (other) => {
    const { body } = await start('conflict', { agent: 'greeter', input: 'Al' });
    expect(await start('conflict', other)).toMatchObject({
      status: 422,
      body: { code: 'idempotency_conflict', retryable: false, runId: body.runId },
    });
  });

  test('of 100 at once, over two servers, one starts the run; its agent is called once', async () => {
    const before = (await ids()).length;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => start('race', { agent: 'greeter', input: 'race' }, i % 2)),
    );
    expect(new Set(answers.map(({ body }) => body.runId)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.cursor)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status, body }) => status === 200 && body.duplicate === true)).toHaveLength(99);
    await ended(answers[0]!.body.runId);
    expect(calls.filter((it) => it === 'race')).toHaveLength(1);
    expect((await ids()).length).toBe(before + 1);
  });

  test('a remote run is opened once too, and its producer finds it again', async () => {
    const request = { agent: 'mine', mode: 'remote', threadId: `t-${kind}`, lease: 60 };
    const first = await start('remote', request);
    await send(urls[0]!, post(`/v1/runs/${first.body.runId}/events`, '{"events":[{"type":"my.own","data":{}}]}'));
    expect((await start('remote', request)).body).toEqual({ ...first.body, duplicate: true });
    expect(await start('remote', { ...request, lease: 61 })).toMatchObject({ status: 422 });
  });

  test('a request that was refused leaves the key free', async () => {
    expect((await start('refused', { agent: 'nobody' })).body.code).toBe('agent_not_found');
    expect((await start('refused', { agent: 'greeter', input: 'x' })).status).toBe(201);
  });

  test('a key whose run was deleted is used up', async () => {
    const { body } = await start('deleted', { agent: 'greeter', input: 'x' });
    await ended(body.runId);
    expect((await send(urls[0]!, { method: 'DELETE', target: `/v1/runs/${body.runId}` })).status).toBe(204);
    expect((await start('deleted', { agent: 'greeter', input: 'x' })).body.code).toBe('run_deleted');
  });

  test.each([
    '',
    '""',
    'x'.repeat(256),
    `"${'x'.repeat(256)}"`,
    'two words',
    '"two words"',
    'a, b',
    'a,b',
    '"a", "b"',
    '"open',
    '"a"b"',
    '"\\x"',
    'gr\u00fcn',
  ])('%s is no key', async (key) => {
    const { status, body } = await start(Buffer.from(key).toString('latin1'), { agent: 'greeter' });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.detail).toContain('Idempotency-Key');
  });

  test('two keys, or a key and a runId, are refused', async () => {
    const twice = post('/v1/runs', '{"agent":"greeter"}', JSON_TYPE, 'Idempotency-Key: a', 'Idempotency-Key: b');
    expect((await send(urls[0]!, twice)).status).toBe(400);
    const { status, body } = await start('k', { agent: 'greeter', runId: 'mine' });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  });

  test('neither key nor digest is shown to anybody', async () => {
    const { body } = await start('secret-key', { agent: 'greeter', input: 'x' });
    const shown = (await send(urls[0]!, { target: `/v1/runs/${body.runId}` })).body + JSON.stringify(await ids());
    expect(shown).not.toContain('secret-key');
    expect(shown).not.toContain('requestDigest');
  });

  test.runIf(kind === 'embedded')('all of it holds when the server starts anew', async () => {
    const request = { agent: 'greeter', input: 'restart' };
    const first = await start('restart', request);
    await ended(first.body.runId);
    await app.close();
    await open();
    const again = await start('restart', request);
    expect(again).toMatchObject({ status: 200, location: first.location, body: { cursor: first.body.cursor } });
    expect(calls.filter((it) => it === 'restart')).toHaveLength(1);
    expect((await start('restart', { ...request, input: 'other' })).status).toBe(422);
  });
});

test('P8: whatever process takes it: two executors over one log start one run, once', async () => {
  const log = openMemory();
  let calls = 0;
  const executors = [new Runs(log), new Runs(log)];
  for (const runs of executors) runs.register('a', () => void calls++);
  const starts = Array.from({ length: 50 }, (_, i) => executors[i % 2]!.start({ agent: 'a', idempotencyKey: 'k' }));
  const started = await Promise.all(starts);
  expect(started.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
  for (const runs of executors) await runs.close();
  expect(calls).toBe(1);
  // Owners do not meet in a key.
  const own = await new Runs(log).start({ agent: 'a', mode: 'remote', idempotencyKey: 'k', owner: 'ann' });
  expect(own.duplicate).toBeUndefined();
});
