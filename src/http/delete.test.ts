import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { follow } from '../client/index.ts';
import { type Telltale, telltale } from '../index.ts';
import { runFileHeader } from '../protocol/index.ts';
import { send } from './raw-request.fixture.ts';
import { post } from './victim.fixture.ts';

const events = (...types: string[]): string =>
  JSON.stringify({ events: types.map((type) => ({ type, data: type === 'custom' ? { name: 'n', value: 1 } : {} })) });

describe.each(['memory', 'embedded'])('DELETE /v1/runs/{runId} (P8), %s store', (kind) => {
  let dir: string;
  let app: Telltale;
  let url: string;
  let count = 0;
  /** The ids of a thread and its two runs, of which the first has ended: its events are 1, 3 and 4. */
  let thread: string;
  let gone: string;
  let kept: string;

  const open = async () => {
    app = telltale({ store: kind === 'memory' ? 'memory:' : dir, allowedOrigins: ['https://app.example'] });
    app.agent('greeter', (_run, name) => `Hello ${name}`);
    ({ url } = await app.listen(0));
  };
  const call = async (request: Parameters<typeof send>[1]) => {
    const { status, body, headers } = await send(url, request);
    return { status, headers, body: body.startsWith('{') ? JSON.parse(body) : body };
  };
  const get = (target: string, ...headers: string[]) => call({ target, headers });
  const del = (runId: string, ...headers: string[]) => call({ method: 'DELETE', target: `/v1/runs/${runId}`, headers });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-'));
    await open();
  });
  afterAll(async () => {
    await app.close();
    await rm(dir, { recursive: true });
  });
  beforeEach(async () => {
    [thread, gone, kept] = ['t', 'gone', 'kept'].map((it) => `${it}${count}`) as [string, string, string];
    count++;
    for (const runId of [gone, kept]) {
      const body = JSON.stringify({ agent: 'remote', runId, threadId: thread, mode: 'remote' });
      expect((await call(post('/v1/runs', body))).status).toBe(201);
    }
    await call(post(`/v1/runs/${gone}/events`, events('custom', 'run.completed')));
    await call(post(`/v1/runs/${kept}/events`, events('custom')));
  });

  test('answers 204, again and again; every address of the run is 410 from then on, the id is not given out again', async () => {
    for (let i = 0; i < 2; i++) expect(await del(gone)).toMatchObject({ status: 204, body: '' });
    const at = `/v1/runs/${gone}`;
    const start = JSON.stringify({ agent: 'remote', runId: gone, mode: 'remote' });
    for (const request of [
      { target: at },
      { target: `${at}/events` },
      { target: `${at}/stream` },
      { target: `${at}/stream?from=snapshot` },
      { target: `${at}/stream`, headers: ['Last-Event-ID: x.3'] },
      post(`${at}/events`, events('custom')),
      post(`${at}/events`, '{"type":"custom","data":{"name":"n","value":1}}\n', 'Content-Type: application/x-ndjson'),
      ...['cancel', 'pause', 'resume'].map((it) => post(`${at}/${it}`, '{}')),
      post('/v1/runs', start),
    ]) {
      const { status, body, headers } = await call(request);
      expect([status, headers['content-type']], request.target).toEqual([410, 'application/problem+json']);
      expect(body).toMatchObject({ code: 'run_deleted', retryable: false, runId: gone });
      expect(Date.parse(body.deletedAt)).toBeGreaterThan(Date.now() - 60_000);
    }
  });

  test('takes it out of lists and out of pages of its thread, whose numbers stay', async () => {
    const before = (await get(`/v1/threads/${thread}`)).body;
    await del(gone);
    const { runs } = (await get(`/v1/runs?threadId=${thread}`)).body;
    expect(runs.map(({ runId }: { runId: string }) => runId)).toEqual([kept]);
    expect((await get(`/v1/threads/${thread}`)).body).toEqual(before);
    const page = (await get(`/v1/threads/${thread}/events`)).body;
    expect(page.events.map(({ seq }: { seq: number }) => seq)).toEqual([2, 5]);
    const [epoch] = page.cursor.split('.');
    for (const [after, limit, seqs, cursor] of [
      [1, 1, [2], 2],
      [2, 1, [5], 5],
      [3, 9, [5], 5],
      [5, 9, [], 5],
    ] as const) {
      const { body } = await get(`/v1/threads/${thread}/events?after=${epoch}.${after}&limit=${limit}`);
      expect([body.events.map(({ seq }: { seq: number }) => seq), body.cursor]).toEqual([seqs, `${epoch}.${cursor}`]);
    }
    const rest = (await get(`/v1/runs/${kept}/events`)).body;
    expect(rest.events.map(({ seq }: { seq: number }) => seq)).toEqual([2, 5]);
  });

  test('refuses a run that has not ended, until it was cancelled', async () => {
    expect(await del(kept)).toMatchObject({ status: 409, body: { code: 'run_open', status: 409 } });
    expect((await get(`/v1/runs/${kept}`)).status).toBe(200);
    await call(post(`/v1/runs/${kept}/events`, events('run.cancelled')));
    expect((await del(kept)).status).toBe(204);
  });

  test('leaves a thread of nothing but void, which is there, empty, and goes on', async () => {
    await call(post(`/v1/runs/${kept}/events`, events('run.completed')));
    for (const runId of [gone, kept]) await del(runId);
    expect((await get(`/v1/threads/${thread}`)).body).toMatchObject({ earliest: 1, latest: 6 });
    expect((await get(`/v1/threads/${thread}/events`)).body).toMatchObject({ events: [], more: false });
    const body = JSON.stringify({ agent: 'greeter', input: 'Ada', threadId: thread });
    const { cursor } = (await call(post('/v1/runs', body))).body;
    expect(cursor).toMatch(/\.7$/);
  });

  test('of the implicit run of a thread makes what comes later open the next', async () => {
    const append = (...types: string[]) => call(post(`/v1/threads/session${count}/events`, events(...types)));
    const first = (await append('custom', 'run.completed')).body.runId;
    expect((await del(first)).status).toBe(204);
    const { status, body } = await append('custom');
    expect([status, body.first]).toEqual([200, 5]);
    expect(body.runId).not.toBe(first);
    expect((await append('custom')).body.runId).toBe(body.runId);
  });

  test('is a write: pages of other sites may not, those of allowed origins may', async () => {
    expect((await del(gone, 'Origin: https://evil.test')).body).toMatchObject({ code: 'origin_refused' });
    expect((await del(gone, 'Sec-Fetch-Site: cross-site')).body).toMatchObject({ code: 'origin_refused' });
    expect((await call({ method: 'DELETE', target: `/v1/runs/${gone}?force=1` })).body.code).toBe('invalid_request');
    expect((await get(`/v1/runs/${gone}`)).status).toBe(200);
    const { status, headers } = await del(gone, 'Origin: https://app.example');
    expect([status, headers['access-control-allow-origin']]).toEqual([204, 'https://app.example']);
  });

  test('is told to live lists at once', async () => {
    const list = await fetch(`${url}/v1/runs?threadId=${thread}`, { headers: { accept: 'text/event-stream' } });
    const reader = list.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const read = async (what: string) => {
      while (!text.includes(what)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`The stream ended before ${what}`);
        text += value;
      }
    };
    await read('event: stream.caught-up');
    await del(gone);
    await read(`event: stream.left\ndata: {"runId":"${gone}","reason":"deleted"}\n\n`);
    await reader.cancel();
  });

  test('refuses an import as that run, whatever the file', async () => {
    const page = (await get(`/v1/runs/${gone}/events`)).body;
    await del(gone);
    const lines = [runFileHeader(gone, thread), ...page.events].map((it) => `${JSON.stringify(it)}\n`).join('');
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${url}/v1/runs/import`, { method: 'POST', headers, body: lines });
    expect(await answer.json()).toMatchObject({ code: 'run_deleted', status: 410 });
  });

  test('makes a follower of the run end with run_deleted, wherever it was', async () => {
    await del(gone);
    const following = follow(`${url}/v1/runs/${gone}/stream`, { after: 'x.3' }).next();
    await expect(following).rejects.toMatchObject({ code: 'run_deleted', status: 410 });
  });

  test.runIf(kind === 'embedded')('is kept when the server starts anew', async () => {
    await del(gone);
    await app.close();
    await open();
    expect((await get(`/v1/runs/${gone}/stream`)).status).toBe(410);
    expect((await get(`/v1/threads/${thread}/events`)).body.events).toHaveLength(2);
    expect((await del(gone)).status).toBe(204);
  });
});
