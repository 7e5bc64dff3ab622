/** Telltale inside somebody else's server. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Telltale, type TelltaleOptions, telltale } from './index.ts';

const reported: unknown[] = [];
const make = (options: TelltaleOptions = {}) =>
  telltale({ store: 'memory:', onError: (error) => reported.push(error), ...options });

const start = (body: string | object, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const said = async (answer: Response) => [answer.status, ((await answer.json()) as { code?: string }).code];

let app: Telltale;
beforeEach(() => {
  app = make();
  app.agent('a', (run, input) => run.say(String(input)));
  reported.length = 0;
});
afterEach(() => app.close());

describe('fetch', () => {
  const ask = (path: string, init?: RequestInit, name = 'localhost') =>
    app.fetch(new Request(`http://${name}${path}`, init));

  test('runs an agent and streams it, with no server at all', async () => {
    const answer = await ask('/v1/runs', start({ agent: 'a', input: 'hello', runId: 'r' }));
    expect(answer.status).toBe(201);
    const text = await (await ask('/v1/runs/r/stream')).text();
    expect(text).toMatch(
      /event: run\.started[\s\S]+"text":"hello"[\s\S]+event: run\.completed[\s\S]+event: stream\.bye/,
    );
  });

  test('answers only to names that it was told of, and to pages of its own origin', async () => {
    expect(await said(await ask('/v1/runs', {}, 'evil.test'))).toEqual([403, 'host_refused']);
    const origin = { headers: { origin: 'https://evil.test' } };
    expect(await said(await ask('/v1/runs', origin))).toEqual([403, 'origin_refused']);
    const named = make({ allowedHosts: ['telltale.example'] });
    expect((await named.fetch(new Request('https://telltale.example/v1/runs'))).status).toBe(200);
    await named.close();
  });

  test('close ends the streams, also of those who do not read; what comes later is told to come back', async () => {
    await ask('/v1/runs', start({ agent: 'b', mode: 'remote', runId: 'r' }));
    const reading = (await ask('/v1/runs/r/stream')).text();
    const stuck = await ask('/v1/runs/r/stream');
    const begun = performance.now();
    await app.close();
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(await reading).not.toContain('stream.bye');
    await stuck.body?.cancel();
    const late = await ask('/v1/runs/r/stream');
    expect([late.status, await late.text()]).toEqual([
      200,
      expect.stringMatching(/^: log_closed, error \w+\n\nretry: 2000\n\n$/),
    ]);
    expect(await said(await ask('/v1/runs'))).toEqual([503, 'log_closed']);
  });

  test('a store that cannot be opened is a problem, not a rejection, and is tried again', async () => {
    const store = await mkdtemp(join(tmpdir(), 'telltale-embedding-'));
    const owner = make({ store });
    await owner.log();
    const second = make({ store });
    const request = () => second.fetch(new Request('http://localhost/healthz'));
    expect(await said(await request())).toEqual([500, 'store_locked']);
    expect(reported).toMatchObject([{ code: 'store_locked' }]);
    await owner.close();
    expect((await request()).status).toBe(200);
    await second.close();
    await rm(store, { recursive: true });
  });
});

describe('handler, in Express', () => {
  let server: Server | undefined;

  async function serve(host: Express): Promise<string> {
    server = createServer(host).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });

  test.each([
    ['nothing', undefined],
    ['express.json()', express.json()],
    ['express.raw()', express.raw({ type: '*/*' })],
    ['express.text()', express.text({ type: '*/*' })],
  ])('takes a body that was read before by %s', async (_name, parser) => {
    const host = express();
    if (parser) host.use(parser);
    const url = await serve(host.use('/tt', app.handler));
    const input = { text: 'é€😀', deep: [[[1.5, null, '\u2028']]] };
    expect((await fetch(`${url}/tt/v1/runs`, start({ agent: 'a', input, runId: 'r' }))).status).toBe(201);
    const { events } = await (await fetch(`${url}/tt/v1/runs/r/events`)).json();
    expect(events[0].data.input).toEqual(input);
    // No body at all, behind a parser that finds nothing to parse.
    expect((await fetch(`${url}/tt/v1/runs/r/cancel`, { method: 'POST' })).status).toBe(200);
  });

  test('the limits hold for a body that was parsed before', async () => {
    const json = express.json({ limit: '64mb' });
    const url = await serve(express().use(json).use('/tt', app.handler));
    const refusals: [body: string | object, status: number, code: string][] = [
      [{ agent: 'a', input: 'x'.repeat(2 * 1024 * 1024) }, 413, 'batch_too_large'],
      [`{"agent":"a","input":${'['.repeat(100)}${']'.repeat(100)}}`, 400, 'too_deep'],
      [`{"agent":"a","input":${'['.repeat(20_000)}${']'.repeat(20_000)}}`, 400, 'too_deep'],
      ['{"agent":"a","input":1e400}', 400, 'invalid_json'],
      ['[]', 400, 'invalid_request'],
    ];
    for (const [body, status, code] of refusals) {
      expect(await said(await fetch(`${url}/tt/v1/runs`, start(body)))).toEqual([status, code]);
    }
    const form = start('agent=a', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(await said(await fetch(`${url}/tt/v1/runs`, form))).toEqual([415, 'unsupported_media_type']);
    expect((await (await fetch(`${url}/tt/v1/runs`)).json()).runs).toEqual([]);
  });

  test('answers everything under its path, and leaves the rest, and errors, to the host', async () => {
    const failures: unknown[] = [];
    const host = express();
    host.use('/tt', app.handler);
    host.get('/own', () => {
      throw new Error('its own');
    });
    host.use(((error, _request, response, _next) => {
      failures.push(error);
      response.status(500).end();
    }) as express.ErrorRequestHandler);
    const url = await serve(host);
    expect(await said(await fetch(`${url}/tt/nothing`))).toEqual([404, 'not_found']);
    expect(await said(await fetch(`${url}/tt/v1/runs`, { method: 'PUT' }))).toEqual([405, 'method_not_allowed']);
    expect(failures).toEqual([]);
    expect((await fetch(`${url}/own`)).status).toBe(500);
    expect(failures).toMatchObject([{ message: 'its own' }]);
  });

  test('answers on behalf of a store that cannot be opened', async () => {
    const broken = make({ store: join(import.meta.filename, 'store') });
    const url = await serve(express().use(express.json()).use(broken.handler));
    const answer = await fetch(`${url}/v1/runs`, start({ agent: 'a' }));
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    await broken.close();
  });
});
