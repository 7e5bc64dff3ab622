import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { telltale } from '../../index.ts';
import { openMemory } from '../../log/memory.ts';
import { TelltaleError } from '../../protocol/index.ts';
import { Runs } from '../../runs/index.ts';
import type { Need, Operations } from '../openapi/operation.ts';
import { Access } from './access.ts';
import { makeKey } from './api-keys.ts';
import { Auth } from './auth.ts';
import { guard } from './guard.ts';
import { bearer } from './issuer.fixture.ts';

const operation = (needs: Need): Operations[string] => ({
  ...{ id: 'x', group: 'Runs', summary: '', description: '', needs },
  ...{ answers: {}, refuses: [], examples: [] },
});

const ann = makeKey({ userId: 'ann', scopes: ['read', 'start'] });

/** An app with these routes, of which the operations say what they need; runs and threads are Ann's or Bob's. */
async function app(operations: Record<string, Need>, undeclared: string[] = [], isGuarded = true) {
  const log = openMemory();
  const runs = new Runs(log);
  for (const owner of ['ann', 'bob']) {
    await runs.start({ agent: 'a', mode: 'remote', runId: `${owner}s`, owner });
  }
  const access = new Access(log, isGuarded ? new Auth({ apiKeys: [ann.entry] }) : undefined);
  const declared = Object.entries(operations).map(([key, needs]) => [key, operation(needs)]);
  const it = new Hono();
  it.use(
    guard(Object.fromEntries(declared), access, (_c, error) => {
      throw error;
    }),
  );
  const group = new Hono();
  for (const key of [...Object.keys(operations), ...undeclared]) {
    const [method = '', path = ''] = key.split(' ');
    group.on(method, path.replace(/\{(\w+)\}/g, ':$1'), (c) => c.text('in'));
  }
  it.route('/', group);
  it.onError((error, c) => c.text(error instanceof TelltaleError ? error.code : String(error), 400));
  return async (target: string, init: RequestInit = { headers: bearer(ann.key) }): Promise<string> =>
    (await it.request(`http://localhost${target}`, init)).text();
}

describe('the guard', () => {
  test('lets nobody through to a route that the table does not know, on an open server either', async () => {
    for (const isGuarded of [true, false]) {
      const ask = await app({ 'GET /known': 'nothing' }, ['GET /forgotten', 'POST /known'], isGuarded);
      expect(await ask('/known')).toBe('in');
      expect(await ask('/forgotten')).toBe('internal');
      expect(await ask('/known', { method: 'POST' })).toBe('internal');
    }
  });

  test('HEAD needs what GET needs', async () => {
    const ask = await app({ 'GET /v1/runs/{runId}': 'read' });
    expect(await ask('/v1/runs/bobs', { method: 'HEAD' })).toBe('');
  });

  test('the first of the routes that match decides, as it answers', async () => {
    const ask = await app({ 'GET /v1/runs/all': 'nothing', 'GET /v1/runs/{runId}': 'read' });
    expect(await ask('/v1/runs/all', {})).toBe('in');
    expect(await ask('/v1/runs/anns', {})).toBe('unauthorized');
  });

  test.each<[string, Need, string]>([
    ['GET /v1/runs/{runId}/x', 'read', '/v1/runs/<id>/x'],
    ['GET /v1/threads/{threadId}', 'read', '/v1/threads/<id>'],
    ['GET /sse/agent-activity/{sessionId}', { scope: 'read', thread: 'sessionId' }, '/sse/agent-activity/<id>'],
    ['GET /agents/{agentId}/tasks/{taskId}/events', { scope: 'read', run: 'taskId' }, '/agents/7/tasks/<id>/events'],
    ['POST /v1/threads/{threadId}/events', 'write', '/v1/threads/<id>/events'],
  ])('%s needs %j: what the path names has to be one’s own', async (key, needs, target) => {
    const ask = await app({ [key]: needs });
    const [method = ''] = key.split(' ');
    const init = { method, headers: bearer(ann.key) };
    expect(await ask(target.replace('<id>', 'anns'), init)).toBe('in');
    expect(await ask(target.replace('<id>', '%61nns'), init)).toBe('in');
    for (const id of ['bobs', '%62obs', '%2562obs', 'b%6Fbs'])
      expect([id, await ask(target.replace('<id>', id), init)]).not.toEqual([id, method === 'GET' ? 'in' : '']);
    expect(await ask(target.replace('<id>', 'bobs'), init)).toMatch(/^(run|thread)_not_found$/);
  });

  test('a GET that starts something is a write: no other site makes a browser ask', async () => {
    for (const isGuarded of [true, false]) {
      const ask = await app({ 'GET /chat': 'start', 'GET /read': 'read' }, [], isGuarded);
      const from = (site: string) => ({ headers: { ...bearer(ann.key), 'sec-fetch-site': site } });
      expect(await ask('/chat', from('cross-site'))).toBe('origin_refused');
      expect(await ask('/chat', from('same-site'))).toBe('origin_refused');
      expect(await ask('/chat', from('same-origin'))).toBe('in');
      expect(await ask('/chat')).toBe('in');
      expect(await ask('/read', from('cross-site'))).toBe('in');
    }
  });
});

test('every address of the server that names something says what that is, or names a run or thread', async () => {
  const server = telltale({ store: 'memory:' });
  const { paths } = (await (await server.fetch(new Request('http://localhost/openapi.json'))).json()) as {
    paths: Record<string, Record<string, { security: object[] }>>;
  };
  await server.close();
  const unguarded = Object.entries(paths).filter(
    ([path, methods]) => path.includes('{') && Object.values(methods).some(({ security }) => security.length === 0),
  );
  // The page of the console, which is the same for everybody, and its files.
  expect(unguarded.map(([path]) => path)).toEqual(['/runs/{runId}', '/chat/{threadId}', '/assets/{name}']);
});

test('docs/auth.md lists every route with what it needs', async () => {
  const server = telltale({ store: 'memory:' });
  const { paths } = (await (await server.fetch(new Request('http://localhost/openapi.json'))).json()) as {
    paths: Record<string, Record<string, { security: { bearer: string[] }[] }>>;
  };
  await server.close();
  const there = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security }]) => {
      const scope = security[0]?.bearer[0];
      return `| \`${method.toUpperCase()} ${path}\` | ${scope === undefined ? '–' : `\`${scope}\``} |`;
    }),
  );
  const page = await readFile(new URL('../../../docs/auth.md', import.meta.url), 'utf8');
  const listed = page.split('\n').filter((line) => /^\| `(GET|POST|DELETE|PUT|PATCH) /.test(line));
  expect(listed.toSorted()).toEqual(there.toSorted());
});
