/** What a hostile or a failing party would try, against a real server: each of these went through once. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { parse, type RawResponse } from '../raw-request.fixture.ts';
import { get, read } from '../stream-client.fixture.ts';
import { type Guarded, guarded } from './guarded.fixture.ts';
import type { AuthOptions, AuthorizeRequest } from './options.ts';
import type { Principal } from './principal.ts';

/** Who there is, by the header that says so. */
const PEOPLE: Readonly<Record<string, Principal>> = {
  ann: { userId: 'ann', tenantId: 'acme', scopes: ['read', 'start', 'control'] },
  worker: { userId: 'worker', tenantId: 'acme', scopes: ['read', 'start', 'write'] },
  root: { userId: 'root', tenantId: 'acme', scopes: ['admin'] },
  eve: { userId: 'eve', tenantId: 'evil', scopes: ['read', 'start', 'write', 'control'] },
  'of no tenant': { userId: 'lone', scopes: ['read', 'start', 'write', 'control'] },
};
let people: Map<string, Principal>;
let server: Guarded;

const serve = async (options: Partial<AuthOptions> = {}) => {
  people = new Map(Object.entries(PEOPLE));
  server = await guarded({
    authenticate: (request) => people.get(request.headers.get('authorization') ?? ''),
    ...options,
  });
};
beforeEach(() => serve());
afterEach(() => server.close());

const appended = (text: string) => ({ events: [{ type: 'message.completed', data: { messageId: 'm', text } }] });
const remote = (runId: string, more: object = {}) => ({ agent: 'worker', mode: 'remote', runId, ...more });

async function call(who: string, method: string, path: string, body?: object): Promise<Response> {
  const headers = { authorization: who, 'content-type': 'application/json' };
  return fetch(server.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
}

/** A request that has sent its head and goes on when it is told. */
async function half(who: string, path: string, body: object) {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
  const said: Buffer[] = [];
  socket.on('data', (bytes) => said.push(bytes));
  const text = JSON.stringify(body);
  const head = ['Host: localhost', `Authorization: ${who}`, 'Content-Type: application/json', 'Connection: close'];
  socket.write(`POST ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\nContent-Length: ${text.length}\r\n\r\n`);
  return async (): Promise<RawResponse> => {
    socket.write(text);
    await once(socket, 'close');
    return parse(Buffer.concat(said))[0] as RawResponse;
  };
}

async function watch(who: string, path: string) {
  const headers = { authorization: who, accept: 'text/event-stream' };
  const answer = await get(server.url + path, { headers });
  let text = '';
  const ended = read(answer, (more) => {
    text += more;
  });
  await until(() => text.includes('stream.caught-up'));
  return { ended };
}

const REVOKED = 'event: stream.revoked\ndata: {"reason":"revoked"}\n\n';
const EXPIRED = 'event: stream.revoked\ndata: {"reason":"expired"}\n\n';

/** Resolves once so many requests have asked who they are. */
async function asked(
  times: number,
  ask: () => Promise<() => Promise<RawResponse>>,
): Promise<() => Promise<RawResponse>> {
  await server.close();
  let count = 0;
  await serve({
    authenticate(request) {
      count++;
      return people.get(request.headers.get('authorization') ?? '');
    },
  });
  const finish = await ask();
  await until(() => count >= times);
  return finish;
}

test('P8: whoever asks for a thread before it begins, and sends his events when it has, writes to nobody else’s', async () => {
  const finish = await asked(1, () => half('eve', '/v1/threads/secret/events', appended('forged')));
  expect((await call('ann', 'POST', '/v1/threads/secret/events', appended('hers'))).status).toBe(200);
  const { status, body } = await finish();
  expect([status, JSON.parse(body)]).toEqual([404, expect.objectContaining({ code: 'thread_not_found' })]);
  expect(await (await call('ann', 'GET', '/v1/threads/secret/events')).text()).not.toContain('forged');
});

test('P8: what a revoked user had begun to ask is not done', async () => {
  const finish = await asked(1, () => half('ann', '/v1/runs', remote('late')));
  expect(server.auth.revoke('ann')).toBe(0);
  expect((await finish()).status).toBe(401);
  expect(await server.log.runs.get('late')).toBeUndefined();
});

test('P8: what nobody owns is for operators alone, also where nobody has a tenant', async () => {
  await server.runs.start({ agent: 'worker', mode: 'remote', runId: 'nobodys' });
  const path = '/v1/runs/nobodys/events';
  expect((await call('of no tenant', 'POST', path, appended('forged'))).status).toBe(404);
  expect((await call('of no tenant', 'POST', '/v1/threads/nobodys/events', appended('forged'))).status).toBe(404);
  expect((await call('root', 'POST', path, appended('well'))).status).toBe(200);
});

test.each(['/v1/runs/r/stream', '/v1/threads/r/stream', '/v1/stream?run=r&thread=r', '/v1/runs'])(
  'P6: an operator who is none any more does not go on seeing what operators see: %s',
  async (path) => {
    await call('ann', 'POST', '/v1/runs', remote('r'));
    const { ended } = await watch('root', path);
    people.set('root', { ...PEOPLE.root!, scopes: ['read'] });
    expect((await ended).endsWith(EXPIRED)).toBe(true);
  },
);

test('P6: a session that is told to be over ends what it watches', async () => {
  await call('ann', 'POST', '/v1/runs', remote('r'));
  const { ended } = await watch('ann', '/v1/runs/r/stream');
  people.set('ann', { ...PEOPLE.ann!, expiresAt: Date.now() });
  expect((await ended).endsWith(EXPIRED)).toBe(true);
});

test.each(['/v1/threads/talk/stream', '/v1/stream?run=anns&thread=talk'])(
  'P6: a thread that has become somebody else’s is watched no longer: %s',
  async (path) => {
    await call('ann', 'POST', '/v1/runs', remote('first', { threadId: 'talk' }));
    await call('ann', 'POST', '/v1/runs', remote('anns'));
    expect((await call('worker', 'POST', '/v1/runs', remote('second', { threadId: 'talk' }))).status).toBe(201);
    const { ended } = await watch('ann', path);
    await server.runs.remote.append('first', [{ type: 'run.completed', data: {} }]);
    expect((await call('ann', 'DELETE', '/v1/runs/first')).status).toBe(204);
    // Of several streams, those that are left go on: on the next connection.
    expect((await ended).endsWith(path.includes('anns') ? EXPIRED : REVOKED)).toBe(true);
    expect((await call('ann', 'GET', '/v1/threads/talk')).status).toBe(404);
  },
);

test.each(['authenticate', 'authorize'])('P6: an `%s` that hangs is a no for what is open', async (name) => {
  await server.close();
  let isHanging = false;
  const never = new Promise<never>(() => {});
  await serve({
    authenticate: () => (isHanging && name === 'authenticate' ? never : PEOPLE.ann),
    authorize: ({ allowed }) => (isHanging && name === 'authorize' ? never : allowed),
  });
  await call('ann', 'POST', '/v1/runs', remote('r'));
  const { ended } = await watch('ann', '/v1/runs/r/stream');
  isHanging = true;
  expect((await ended).endsWith(EXPIRED)).toBe(true);
  expect(server.hub.viewers).toBe(0);
});

test('P8: an `authorize` that returns anything but true has not said yes', async () => {
  await call('ann', 'POST', '/v1/runs', remote('r'));
  for (const said of [{ allowed: false }, 'no', 1, null, undefined, async () => true]) {
    await server.close();
    await serve({ authorize: (() => said) as unknown as (request: AuthorizeRequest) => boolean });
    await server.runs.start({ agent: 'worker', mode: 'remote', runId: 'r', owner: 'ann', tenant: 'acme' });
    expect([said, (await call('ann', 'GET', '/v1/runs/r')).status]).toEqual([said, 404]);
  }
});

test('P8: a principal of one’s own that was vouched for before it was revoked is refused', async () => {
  people.set('ann', { ...PEOPLE.ann!, issuedAt: Date.now() - 1 });
  expect((await call('ann', 'GET', '/v1/runs')).status).toBe(200);
  server.auth.revoke('ann');
  expect((await call('ann', 'GET', '/v1/runs')).status).toBe(401);
  people.set('ann', { ...PEOPLE.ann!, issuedAt: Date.now() + 1 });
  expect((await call('ann', 'GET', '/v1/runs')).status).toBe(200);
});

test('P8: a time of expiry that is none is no leave to stay for ever', async () => {
  for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, '2030-01-01' as unknown as number]) {
    people.set('ann', { ...PEOPLE.ann!, expiresAt });
    expect([expiresAt, (await call('ann', 'GET', '/v1/runs')).status]).toEqual([expiresAt, 500]);
  }
});

test('a session of somebody else’s that is awaited at a door costs no question for each event that comes to it', async () => {
  await server.close();
  let questions = 0;
  await serve({
    authorize({ principal, allowed }) {
      if (principal.userId === 'eve') questions++;
      return allowed;
    },
  });
  await call('ann', 'POST', '/v1/threads/session/events', appended('first'));
  const answer = await get(`${server.url}/sse/agent-activity/session`, { headers: { authorization: 'eve' } });
  for (let i = 0; i < 20; i++) await call('ann', 'POST', '/v1/threads/session/events', appended('more'));
  expect(questions).toBe(1);
  answer.destroy();
});
