/** The agent-activity door, as its own front end uses it (docs/doors/agent-activity.md). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { send } from '../raw-request.fixture.ts';
import { streamServer } from '../stream.fixture.ts';
import { cuts, FrontEnd } from './front-end.fixture.ts';

const NAMES = ['agentActivity', 'agentStatusUpdate', 'heartbeat'];
const UUID = '7d0f4a3e-0000-4000-8000-C1A2B3D4E5F6';
const SESSION = '/sse/agent-activity/';

let app: Telltale;
let url: string;
const open: { close(): unknown }[] = [];
const watch = (session: string, at = url): FrontEnd => {
  const frontEnd = new FrontEnd(`${at}${SESSION}${session}`, [...NAMES, 'error']);
  open.push(frontEnd);
  return frontEnd;
};
const emit = (sessionId: string, n: number, status = 'in-progress') =>
  app.emitAgentActivity({ sessionId, agentName: 'Document Agent', action: `Page ${n}`, status, details: 'Analyzing' });
const DONE = { sessionId: 'kept', agentName: 'Document Agent', status: 'completed' };
const actions = ({ heard }: FrontEnd) => heard.map(({ data }) => data.action);
const pages = (count: number) => Array.from({ length: count }, (_, n) => `Page ${n}`);

beforeAll(async () => {
  app = telltale({ store: 'memory:', allowedHosts: ['telltale.example'] });
  app.agent('analyst', async (run) => {
    await run.tool('read', { path: 'x' }, () => 'text');
  });
  ({ url } = await app.listen(0));
});

afterAll(async () => {
  for (const it of open) await it.close();
  await app.close();
});

describe('a session', () => {
  it('gives every tab everything, those that come late too, and whatever is cut while they reconnect', async () => {
    const seed = Date.now();
    const proxies = await Promise.all([1, 2].map((n) => faultyProxy(url, cuts(seed + n, 2))));
    open.push(...proxies);
    const early = proxies.map((proxy) => watch('tabs', proxy.url));
    for (let n = 0; n < 40; n++) await emit('tabs', n);
    const late = watch('tabs');
    for (let n = 40; n < 80; n++) await emit('tabs', n);
    await until(() => [...early, late].every(({ heard }) => heard.length >= 80), 'all', 20_000);
    for (const it of [...early, late]) expect(actions(it), `seed ${seed}`).toEqual(pages(80));
    expect(early[0]!.heard[0]).toMatchObject({
      event: 'agentActivity',
      data: {
        ...{ session_id: 'tabs', agent_name: 'Document Agent', action: 'Page 0', status: 'in-progress' },
        ...{ details: 'Analyzing', timestamp: expect.stringMatching(/^\d{4}-.*Z$/) },
      },
    });
  }, 30_000);

  it('is waited for until somebody writes to it', async () => {
    const frontEnd = watch('not-yet');
    await until(() => frontEnd.statuses.length === 1);
    await emit('not-yet', 0);
    await emit('not-yet', 1);
    await until(() => frontEnd.heard.length === 2);
    expect([actions(frontEnd), frontEnd.statuses]).toEqual([pages(2), [200]]);
  });

  it('outlives its runs, and tells of those that are executed here', async () => {
    const frontEnd = watch('runs');
    for (let n = 0; n < 2; n++) {
      await (await app.start({ agent: 'analyst', threadId: 'runs', input: 'Why?' })).finished();
    }
    await until(() => frontEnd.heard.length === 8);
    const once = ['Run in-progress', 'Calling read in-progress', 'Calling read completed', 'Run completed'];
    expect(frontEnd.heard.map(({ data }) => `${data.action} ${data.status}`)).toEqual([...once, ...once]);
    expect(frontEnd.statuses).toEqual([200]);
  });

  it('may be a UUID, which comes back as it was written', async () => {
    await emit(UUID, 0);
    const frontEnd = watch(UUID);
    await until(() => frontEnd.heard.length === 1);
    expect(frontEnd.heard[0]!.data.session_id).toBe(UUID);
  });

  it('goes on where it was when the server was restarted, also for who comes only then', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'telltale-'));
    const sessions: FrontEnd[] = [];
    let server = telltale({ store: dir });
    const tell = (from: number, to: number) =>
      Promise.all(
        pages(to)
          .slice(from)
          .map((action) => server.emitAgentActivity({ ...DONE, action })),
      );
    const { url: at } = await server.listen(0);
    await tell(0, 3);
    sessions.push(watch('kept', at));
    await until(() => sessions[0]!.heard.length === 3);
    await server.close();
    server = telltale({ store: dir });
    await server.listen(Number(new URL(at).port));
    await tell(3, 5);
    sessions.push(watch('kept', at));
    await until(() => sessions.every(({ heard }) => heard.length >= 5), 'both', 10_000);
    for (const it of sessions) expect(actions(it)).toEqual(pages(5));
    for (const it of sessions) it.close();
    await server.close();
    await rm(dir, { recursive: true });
  }, 20_000);

  it('tells a cursor of another session as an error with data, and then everything', async () => {
    await emit('one', 0);
    await emit('two', 0);
    const other = watch('one');
    await until(() => other.heard.length === 1);
    const frontEnd = watch(`two?after=${other.heard[0]!.id}`);
    await until(() => frontEnd.heard.length === 2);
    expect(frontEnd.heard.map(({ event, data }) => [event, data.status, data.details])).toEqual([
      ['error', 'reset', 'unknown_epoch'],
      ['agentActivity', 'in-progress', 'Analyzing'],
    ]);
  });

  it('beats as an event at every second beat, also while it is waited for', async () => {
    const quick = await streamServer({ heartbeatMs: 60 });
    const answer = await fetch(`${quick.url}${SESSION}nobody`);
    let text = '';
    for await (const bytes of answer.body!.pipeThrough(new TextDecoderStream())) {
      text += bytes;
      if (text.split('event: heartbeat').length > 2) break;
    }
    const said = text.split('\n\n').map((frame) => frame.split('\n')[0]);
    expect(said[0]).toBe(': connected');
    expect(said.slice(2, 6)).toEqual([': heartbeat', 'event: heartbeat', ': heartbeat', 'event: heartbeat']);
    expect(text).toMatch(/event: heartbeat\ndata: {"session_id":"nobody","timestamp":"\d{4}-[^"]*Z"}\n\n/);
    await until(() => quick.hub.viewers === 0);
    await quick.close();
  });

  it('ends with an error that has data where access is taken back, also while it is waited for', async () => {
    const guarded = telltale({
      store: 'memory:',
      auth: { authenticate: () => ({ userId: 'ann', scopes: ['read', 'start'] }) },
    });
    const { url: at } = await guarded.listen(0);
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ agent: 'a', mode: 'remote', threadId: 'there' });
    await fetch(`${at}/v1/runs`, { method: 'POST', headers, body });
    const answers = await Promise.all(['there', 'nobody'].map((it) => fetch(`${at}${SESSION}${it}`)));
    expect(guarded.revoke('ann')).toBe(2);
    for (const answer of answers) {
      expect(await answer.text()).toMatch(/event: error\ndata: .*"action":"Access ended","status":"revoked"\}\n\n$/);
    }
    await guarded.close();
  });

  it('is let go of with the server that waits for it', async () => {
    const closing = await streamServer();
    const answer = await fetch(`${closing.url}${SESSION}nobody`);
    await until(() => closing.hub.viewers === 1);
    const [text] = await Promise.all([answer.text(), closing.close()]);
    expect(text).toMatch(/^: connected\n\nretry: \d+\n\n$/);
    expect(closing.hub.viewers).toBe(0);
  });

  it.each([
    ['an id that can be none', `${SESSION}a%20b`, 400],
    ['one that is too long', `${SESSION}${'x'.repeat(33)}`, 400],
    ['no id', SESSION, 404],
    ['a parameter nobody knows', `${SESSION}s?types=x`, 400],
    ['an address of its own that encodes nothing', `${SESSION}%zz`, 400],
  ])('is refused before the stream opens for %s', async (_what, target, status) => {
    const answer = await send(url, { target });
    expect([answer.status, JSON.parse(answer.body).status]).toEqual([status, status]);
  });

  it.each([
    ['an id that can be none', { sessionId: 'a b' }, 'invalid_request'],
    ['a name that is none', { agentName: '' }, 'invalid_event'],
    ['a status that is none', { status: '' }, 'invalid_event'],
  ])('is not written to with %s', async (_what, wrong, code) => {
    const activity = { sessionId: 'refused', agentName: 'A', action: 'a', status: 's', ...wrong };
    await expect(app.emitAgentActivity(activity)).rejects.toMatchObject({ code });
    expect(await (await app.log()).head('refused')).toBeUndefined();
  });
});

describe('pages of other origins', () => {
  const ask = (target: string, ...headers: string[]) => send(url, { target, headers });
  const DEV = 'Origin: http://localhost:4200';

  it('may watch from the development server of the front end, and use nothing else', async () => {
    const allowed = await send(url, { method: 'HEAD', target: `${SESSION}s`, headers: [DEV] });
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([200, 'http://localhost:4200']);
    expect((await ask('/v1/runs', DEV)).status).toBe(403);
    expect((await ask(`${SESSION}s`, 'Origin: http://localhost:4201')).status).toBe(403);
  });

  it('may not where the server is reached under another name than this machine’s', async () => {
    expect((await ask(`${SESSION}s`, DEV, 'Host: telltale.example')).status).toBe(403);
  });
});
