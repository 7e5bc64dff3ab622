/** Every route × everybody who may ask, from the table of operations itself: a route that is added is in it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Telltale, telltale } from '../../index.ts';
import { bodyOf, targetOf } from '../openapi/curl.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import { textOf } from '../openapi/documented.fixture.ts';
import type { Example } from '../openapi/operation.ts';
import { AUDIENCE, bearer, ISSUER, Issuer } from './issuer.fixture.ts';

const ANN = { sub: 'ann', tenant_id: 'acme' };
/** Who asks; everything in the scene is Ann's, of the tenant acme. */
const ACTORS: Readonly<Record<string, { readonly claims: object; readonly exp?: string } | undefined>> = {
  none: undefined,
  wrong: { claims: { ...ANN, scope: 'read start write control admin', aud: 'another' } },
  expired: { claims: { ...ANN, scope: 'read start write control admin' }, exp: '-1m' },
  'other tenant': { claims: { sub: 'ann', tenant_id: 'evil', scope: 'read start write control' } },
  'no tenant': { claims: { sub: 'ann', scope: 'read start write control' } },
  'other owner': { claims: { sub: 'bob', tenant_id: 'acme', scope: 'read start control' } },
  producer: { claims: { sub: 'worker', tenant_id: 'acme', scope: 'write' } },
  owner: { claims: { ...ANN, scope: 'read start control' } },
  'owner, to read only': { claims: { ...ANN, scope: 'openid telltale:read' } },
  operator: { claims: { sub: 'root', scope: 'admin' } },
};

let issuer: Issuer;
let dir: string;
let documented: OpenApiDocument;
const tokens = new Map<string, string>();
let servers = 0;

interface Scene {
  readonly app: Telltale;
  readonly url: string;
}

/** The runs of the examples, all of them Ann's. */
async function scene(store: string): Promise<Scene> {
  const auth = { jwt: { jwksUrl: issuer.url, issuer: ISSUER, audience: AUDIENCE } };
  const app = telltale({ store: store === 'memory' ? 'memory:' : join(dir, String(servers++)), auth });
  app.agent('greeter', () => 'Hello.');
  const own = { owner: 'ann', tenant: 'acme' };
  const first = await app.start({ ...own, agent: 'greeter', runId: 'first', threadId: 'talk' });
  const old = await app.start({ ...own, agent: 'greeter', runId: 'old' });
  await Promise.all([first.finished(), old.finished()]);
  for (const runId of ['job', 'session-7']) await app.start({ ...own, agent: 'worker', runId, mode: 'remote' });
  const { url } = await app.listen(0);
  const asked = { type: 'approval.requested', data: { approvalId: 'deploy', prompt: 'Deploy?' } };
  const headers = { ...bearer(tokens.get('owner') as string), 'content-type': 'application/json' };
  const body = JSON.stringify({ events: [asked] });
  expect((await fetch(`${url}/v1/runs/job/events`, { method: 'POST', headers, body })).status).toBe(200);
  return { app, url };
}

function ask(url: string, actor: string, method: string, path: string, example: Example): Promise<Response> {
  // Who gives a command is known here.
  const { by: _by, ...body } = (example.body ?? {}) as { by?: string };
  const sent = bodyOf({ ...example, ...(example.body && { body }) });
  const token = tokens.get(actor);
  return fetch(url + targetOf(path, example), {
    method,
    headers: { ...sent?.headers, ...example.headers, ...(token !== undefined && bearer(token)) },
    ...(sent && { body: sent.body }),
  });
}

/** Each example of each method; what GET answers is asked for by HEAD, too. */
function asked(methods: OpenApiDocument['paths'][string]): [method: string, example: Example][] {
  return Object.entries(methods).flatMap(([method, { 'x-examples': examples }]) =>
    [method, ...(method === 'get' ? ['head'] : [])].flatMap((it) =>
      examples.map((example): [string, Example] => [it, example]),
    ),
  );
}

/** What an actor is to be answered, from what the document says that the route needs. */
function expected(actor: string, scope: string | undefined, path: string, example: Example): number {
  // What is for everybody does not look at a credential; this one is there to say what it is worth.
  if (path === '/v1/whoami' && ['wrong', 'expired'].includes(actor)) return 401;
  if (scope === undefined) return 200;
  if (['none', 'wrong', 'expired'].includes(actor)) return 401;
  const { claims } = ACTORS[actor]!;
  const { scope: text } = claims as { scope: string };
  const scopes = text.replace('telltale:', '').split(' ');
  if (scopes.includes('admin')) return 200;
  if (!scopes.includes(scope) && !(scope === 'write' && scopes.includes('start'))) return 403;
  const names = /\{(?:run|thread|task|execution)Id\}/.test(path) || example.query?.run !== undefined;
  const into = example.body && 'threadId' in example.body;
  if ((!names && !into) || actor.startsWith('owner')) return 200;
  return actor === 'producer' && (scope === 'write' || into) ? 200 : 404;
}

beforeAll(async () => {
  issuer = await Issuer.start();
  dir = await mkdtemp(join(tmpdir(), 'telltale-matrix-'));
  for (const [actor, it] of Object.entries(ACTORS)) {
    if (it) tokens.set(actor, await issuer.token({ ...it.claims }, it.exp === undefined ? {} : { exp: it.exp }));
  }
  const { app, url } = await scene('memory');
  documented = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
  await app.close();
});
afterAll(async () => {
  await issuer.close();
  await rm(dir, { recursive: true });
});

describe.each(['memory', 'embedded'])('who may do what (P8), %s store', (store) => {
  test.each(Object.keys(ACTORS))('%s', async (actor) => {
    let at: Scene | undefined;
    const found: [string, number][] = [];
    const wanted: [string, number][] = [];
    for (const [path, methods] of Object.entries(documented.paths)) {
      for (const [method, { security, 'x-examples': examples }] of Object.entries(methods)) {
        const scope = security[0]?.bearer?.[0];
        for (const [i, example] of examples.entries()) {
          at ??= await scene(store);
          const answer = await ask(at.url, actor, method.toUpperCase(), path, example);
          // A stream of a door may be one that waits for ever.
          const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream');
          const text = isStream ? '' : await answer.text();
          // Closing the server ends it. Left in the middle, fetch would connect anew at once, and closing wait for that.
          if (isStream) void answer.text().catch(() => {});
          const name = `${method} ${path} ${i + 1}`;
          found.push([name, answer.ok ? 200 : answer.status]);
          wanted.push([name, expected(actor, scope, path, example)]);
          if (!answer.ok) expect(text).not.toContain('greeter');
          expect(answer.headers.has('www-authenticate')).toBe(answer.status === 401 || answer.status === 403);
          // What was refused, or only read, has changed nothing.
          if (!answer.ok || method === 'get') continue;
          await at.app.close();
          at = undefined;
        }
      }
    }
    await at?.app.close();
    expect(found).toEqual(wanted);
    expect(found.length).toBeGreaterThan(20);
  });

  test('what is foreign is answered as what is not there, word for word, deleted or not', async () => {
    const { app, url } = await scene(store);
    const remove = await ask(url, 'owner', 'DELETE', '/v1/runs/old', {});
    expect(remove.status).toBe(204);
    for (const actor of ['other tenant', 'no tenant', 'other owner']) {
      for (const [path, methods] of Object.entries(documented.paths)) {
        for (const [method, example] of asked(methods)) {
          const name = Object.keys(example.path ?? {}).find((it) => it !== 'agentId' && it !== 'approvalId');
          // A session or a conversation that is not there is awaited: see below.
          if (name === undefined || name === 'sessionId' || name === 'conversationId') continue;
          const said = async (id: string) => {
            const answer = await ask(url, actor, method.toUpperCase(), path, {
              ...example,
              path: { ...example.path, [name]: id },
            });
            const headers = [...answer.headers].filter(([name]) => name !== 'content-length' && name !== 'date');
            return [answer.status, headers, (await answer.text()).replaceAll(id, '<id>')];
          };
          const foreign = name !== 'threadId' ? ['first', 'old', 'job'] : ['talk', 'session-7', 'old'];
          // Appending to a thread that is not there begins it.
          const absent = method === 'post' && name === 'threadId' ? await said('talk') : await said('absent');
          for (const id of foreign) expect([method, path, id, await said(id)]).toEqual([method, path, id, absent]);
        }
      }
    }
    // Its owner, and operators, are told what became of it.
    for (const actor of ['owner', 'operator']) {
      expect((await ask(url, actor, 'GET', '/v1/runs/old', {})).status).toBe(410);
      expect((await ask(url, actor, 'DELETE', '/v1/runs/old', {})).status).toBe(204);
    }
    await app.close();
  });

  test('an id that is taken is told as taken, and no more: whoever has it, and whatever became of it', async () => {
    const { app, url } = await scene(store);
    await ask(url, 'owner', 'DELETE', '/v1/runs/old', {});
    const start = async (body: object) => {
      const answer = await ask(url, 'other tenant', 'POST', '/v1/runs', { body: { agent: 'greeter', ...body } });
      const { code, ...problem } = (await answer.json()) as { code: string };
      return [answer.status, code, Object.keys(problem).sort()];
    };
    const members = ['detail', 'retryable', 'runId', 'status', 'title', 'type'];
    for (const runId of ['first', 'old', 'job']) {
      expect([runId, await start({ runId })]).toEqual([runId, [409, 'run_exists', members]]);
      expect([runId, await start({ runId, threadId: 'mine' })]).toEqual([runId, [409, 'run_exists', members]]);
    }
    // A thread of another: with no name but the run's own, and by its name.
    expect((await start({ runId: 'talk' })).slice(0, 2)).toEqual([409, 'run_exists']);
    expect((await start({ threadId: 'talk' })).slice(0, 2)).toEqual([404, 'thread_not_found']);
    await app.close();
  });

  test('a session at a door that is somebody else’s is awaited as one that is not there, whatever happens in it', async () => {
    const { app, url } = await scene(store);
    const session = '9f8e7d6c-5b4a-4321-8765-0123456789ab';
    const activity = (action: string) => {
      const body = JSON.stringify({ events: [{ type: 'activity.reported', data: { action, status: 'done' } }] });
      const headers = { ...bearer(tokens.get('owner') as string), 'content-type': 'application/json' };
      return fetch(`${url}/v1/threads/${session.replaceAll('-', '')}/events`, { method: 'POST', headers, body });
    };
    const seen: Record<string, string> = {};
    const leave = new AbortController();
    const watch = async (actor: string) => {
      const headers = bearer(tokens.get(actor) as string);
      const answer = await fetch(`${url}/sse/agent-activity/${session}`, { headers, signal: leave.signal });
      expect([actor, answer.status]).toEqual([actor, 200]);
      const decoder = new TextDecoder();
      seen[actor] = '';
      void (async () => {
        for await (const bytes of answer.body ?? []) seen[actor] += decoder.decode(bytes);
      })().catch(() => {});
    };
    for (const actor of ['owner', 'other owner', 'other tenant']) await watch(actor);
    expect((await activity('first')).status).toBe(200);
    await vi.waitFor(() => expect(seen.owner).toContain('first'), 5_000);
    await activity('second');
    await vi.waitFor(() => expect(seen.owner).toContain('second'), 5_000);
    await watch('no tenant');
    for (const actor of ['other owner', 'other tenant', 'no tenant']) expect(seen[actor]).not.toMatch(/first|second/);
    // Whoever waited for nothing is told, too, that he may not go on.
    expect(app.revoke(({ tenantId }) => tenantId === 'evil')).toBe(1);
    await vi.waitFor(() => expect(seen['other tenant']).toContain('Access ended'), 5_000);
    leave.abort();
    await app.close();
  });

  test('of several streams, the foreign ones are refused as those that are not there', async () => {
    const { app, url } = await scene(store);
    await ask(url, 'other owner', 'POST', '/v1/runs', { body: { agent: 'greeter', runId: 'bobs' } });
    const said = async (query: string) => {
      const headers = bearer(tokens.get('other owner') as string);
      const text = await (await fetch(`${url}/v1/stream?run=bobs&${query}`, { headers })).text();
      expect(text).toContain('"run.completed"');
      return [...text.matchAll(/^event: stream.refused\ndata: (.*)$/gm)].map(([, data]) => data);
    };
    const foreign = await said('run=job&thread=talk');
    expect(foreign).toHaveLength(2);
    const absent = await said('run=obj&thread=klat');
    expect(foreign.map((it) => it?.replaceAll('job', 'obj').replaceAll('talk', 'klat'))).toEqual(absent);
    await app.close();
  });

  test('lists, live ones too, show what is one’s own', async () => {
    const { app, url } = await scene(store);
    const own = await ask(url, 'other owner', 'POST', '/v1/runs', { body: { agent: 'greeter', runId: 'bobs' } });
    expect(own.status).toBe(201);
    const listed = async (actor: string) => {
      const answer = await ask(url, actor, 'GET', '/v1/runs', {});
      const live = await ask(url, actor, 'GET', '/v1/runs', { headers: { accept: 'text/event-stream' } });
      const { runs } = (await answer.json()) as { runs: { runId: string }[] };
      const shown = [...(await textOf(live)).matchAll(/^data: {"runId":"([^"]+)"|"agent":.*"runId":"([^"]+)"/gm)];
      const ids = runs.map(({ runId }) => runId).sort();
      // A run that has just ended is told once more.
      expect([...new Set(shown.map(([, a, b]) => a ?? b))].sort()).toEqual(ids);
      expect(JSON.stringify(runs)).not.toMatch(/acme|ann/);
      return ids;
    };
    expect(await listed('owner')).toEqual(['first', 'job', 'old', 'session-7']);
    expect(await listed('other owner')).toEqual(['bobs']);
    expect(await listed('other tenant')).toEqual([]);
    expect(await listed('no tenant')).toEqual([]);
    expect(await listed('operator')).toEqual(['bobs', 'first', 'job', 'old', 'session-7']);
    await app.close();
  });
});
