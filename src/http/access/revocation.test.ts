import { type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient } from '../../client/index.ts';
import { until } from '../../hub/recording.fixture.ts';
import { get, read } from '../stream-client.fixture.ts';
import { type Guarded, guarded, RECHECK_MS } from './guarded.fixture.ts';
import { AUDIENCE, bearer, ISSUER } from './issuer.fixture.ts';
import type { AuthOptions } from './options.ts';

const SECRET = 'a secret of at least thirty-two bytes';
const JWT = { secret: SECRET, issuer: ISSUER, audience: AUDIENCE };
const TOLERANCE_S = 5;

let server: Guarded;
const serve = async (options: AuthOptions = { jwt: JWT }): Promise<void> => {
  server = await guarded(options);
  await start('r');
};
beforeEach(() => serve());
afterEach(() => server.close());

const start = (runId: string, owner = 'ann') =>
  server.runs.start({ agent: 'worker', mode: 'remote', runId, owner, lease: 3600 });
const message = (text: string) => ({ type: 'message.completed', data: { messageId: 'm', text } });

/** Good for so many milliseconds from now on, as the server counts. */
function token(sub = 'ann', milliseconds = 3_600_000, iat = Date.now() / 1000): Promise<string> {
  const claims = { sub, scope: 'read start', iss: ISSUER, aud: AUDIENCE, iat };
  // Fractions of a second are allowed (RFC 7519 section 2).
  const exp = (Date.now() + milliseconds) / 1000 - TOLERANCE_S;
  return new SignJWT({ ...claims, exp }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET));
}

const KINDS = {
  run: '/v1/runs/r/stream',
  thread: '/v1/threads/r/stream',
  several: '/v1/stream?run=r&thread=r',
  list: '/v1/runs',
};

interface Watched {
  readonly text: () => string;
  readonly ended: Promise<string>;
}

/** Opens a stream, and resolves when it is live. */
async function watch(path: string, headers: Record<string, string>): Promise<Watched> {
  const answer = await get(server.url + path, { headers: { accept: 'text/event-stream', ...headers } });
  expect(answer.statusCode).toBe(200);
  let text = '';
  const ended = read(answer, (more) => {
    text += more;
  });
  await until(() => text.includes('stream.caught-up'));
  return { text: () => text, ended };
}

const REVOKED = 'event: stream.revoked\ndata: {"reason":"revoked"}\n\n';
const EXPIRED = 'event: stream.revoked\ndata: {"reason":"expired"}\n\n';

describe.each(Object.entries(KINDS))('an open stream: %s (P6)', (_kind, path) => {
  test('ends at once when its user is revoked, by id or by anything else; others go on', async () => {
    const ann = bearer(await token());
    const [one, two] = [await watch(path, ann), await watch(path, ann)];
    await start('bobs', 'bob');
    const bob = await watch('/v1/runs/bobs/stream', bearer(await token('bob')));
    expect(server.auth.revoke('ann')).toBe(2);
    for (const it of [one, two]) expect((await it.ended).endsWith(REVOKED)).toBe(true);
    expect(server.auth.revoke(({ scopes }) => scopes.includes('start'))).toBe(1);
    expect((await bob.ended).endsWith(REVOKED)).toBe(true);
    // Whoever comes again with what was issued before is nobody; with a newer token he is let in.
    expect((await get(server.url + path, { headers: ann })).statusCode).toBe(401);
    const newer = bearer(await token('ann', 3_600_000, Date.now() / 1000 + 1));
    await watch(path, newer);
    expect(server.errors).toEqual([]);
  });

  test('ends when its token expires, and says so', async () => {
    const before = Date.now();
    const stream = await watch(path, bearer(await token('ann', 600)));
    expect((await stream.ended).endsWith(EXPIRED)).toBe(true);
    expect(Date.now() - before).toBeGreaterThanOrEqual(600);
    expect(Date.now() - before).toBeLessThan(600 + 10 * RECHECK_MS);
    expect(server.hub.viewers).toBe(0);
  });

  test('leaves nothing behind when its client goes away', async () => {
    const answer = await get(server.url + path, { headers: { accept: 'text/event-stream', ...bearer(await token()) } });
    answer.resume();
    answer.destroy();
    await until(() => server.hub.viewers === 0);
    expect(server.auth.revoke('ann')).toBe(0);
  });
});

describe.each([
  ['a session', '/sse/agent-activity/r'],
  ['a session that nobody has written to yet', '/sse/agent-activity/later'],
  ['a task', '/api/v1/agents/worker/tasks/r/events/stream'],
])('an open stream of a door: %s (P6)', (_kind, path) => {
  test.each([
    ['revoked', 3_600_000],
    ['expired', 600],
  ])('ends when it is %s, without a word that its clients do not know', async (why, ms) => {
    const answer = await get(server.url + path, { headers: bearer(await token('ann', ms)) });
    const ended = read(answer);
    await until(() => server.hub.viewers === 1);
    if (why === 'revoked') expect(server.auth.revoke('ann')).toBe(1);
    expect(await ended).not.toContain('stream.');
    expect(server.hub.viewers).toBe(0);
    expect(server.auth.revoke('ann')).toBe(0);
  });
});

test('P6: in the middle of a long history that is read slowly, revocation cuts at once', async () => {
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 40; i++)
    await server.runs.remote.append(
      'r',
      Array.from({ length: 1000 }, () => message(text)),
    );
  const answer = await get(`${server.url}/v1/runs/r/stream?coalesce=off`, { headers: bearer(await token()) });
  let bytes = 0;
  await new Promise<void>((resolve) => {
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < 1_000_000) return;
      answer.pause();
      resolve();
    });
  });
  await until(() => server.hub.viewers === 1);
  answer.on('error', () => {});
  expect(server.auth.revoke('ann')).toBe(1);
  await until(() => server.hub.viewers === 0);
  answer.resume();
  await until(() => answer.socket.destroyed);
  // Of 45 MB it got what it had read, and what its own sockets held.
  expect(bytes).toBeLessThan(20_000_000);
});

test('P6: a history that is read slowly ends when the token expires', async () => {
  const text = 'x'.repeat(1000);
  for (let i = 0; i < 20; i++)
    await server.runs.remote.append(
      'r',
      Array.from({ length: 1000 }, () => message(text)),
    );
  const answer = await get(`${server.url}/v1/runs/r/stream?coalesce=off`, { headers: bearer(await token('ann', 500)) });
  answer.pause();
  answer.on('error', () => {});
  await until(() => server.hub.viewers === 0);
});

describe('what waits (P7, P8)', () => {
  const cursor = async () => (await server.log.head('r').then((head) => `${head?.epoch}.${head?.last}`)) ?? '';

  test.each(['runs', 'threads'])(
    'a long-poll of %s ends when it is revoked, and tells nothing of what came',
    async (of) => {
      const headers = bearer(await token());
      const poll = fetch(`${server.url}/v1/${of}/r/events?wait=30&after=${await cursor()}`, { headers });
      await until(() => server.hub.waiters === 1);
      expect(server.auth.revoke('ann')).toBe(1);
      const answer = await poll;
      expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ code: 'unauthorized' })]);
    },
  );

  test('a long-poll ends when its token expires', async () => {
    const headers = bearer(await token('ann', 500));
    const answer = await fetch(`${server.url}/v1/runs/r/events?wait=30&after=${await cursor()}`, { headers });
    expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ reason: 'expired' })]);
  });

  test.each([
    ['revoked', 3_600_000],
    ['expired', 500],
  ])('endless lines end when they are %s: what was acknowledged is stored, and nothing after it', async (why, ms) => {
    const headers = { 'content-type': 'application/x-ndjson', ...bearer(await token('ann', ms)) };
    const asked: ClientRequest = request(`${server.url}/v1/runs/r/events`, { method: 'POST', headers });
    asked.on('error', () => {});
    asked.write(`${JSON.stringify(message('one'))}\n`);
    const answer = await new Promise<import('node:http').IncomingMessage>((resolve) => asked.once('response', resolve));
    let text = '';
    const ended = read(answer, (more) => {
      text += more;
    });
    await until(() => text.includes('"cursor"'));
    if (why === 'revoked') server.auth.revoke('ann');
    const lines = (await ended).trim().split('\n');
    asked.write(`${JSON.stringify(message('two'))}\n`);
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[1] as string)).toMatchObject({ code: 'unauthorized', status: 401 });
    expect((await server.log.head('r'))?.last).toBe(2);
    asked.destroy();
  });
});

test('the client goes on with a newer token where the old one expired, and stops where access is taken back', async () => {
  let asked = 0;
  const client = createClient({
    url: server.url,
    headers: async () => bearer(await token('ann', 700, Date.now() / 1000 + asked++)),
  });
  const run = client.run('r');
  const seen: number[] = [];
  run.on('event', ({ event }) => seen.push(event.seq));
  const leave = run.subscribe(() => {});
  await until(() => asked >= 3 && run.getSnapshot().connection === 'live');
  await server.runs.remote.append('r', [message('late')]);
  await until(() => seen.length === 2);
  server.auth.revoke('ann');
  await until(() => run.getSnapshot().connection === 'closed');
  expect(run.getSnapshot()).toMatchObject({ status: 'running', error: { code: 'access_revoked' } });
  expect(seen).toEqual([1, 2]);
  leave();
  client.close();
});

test('runs that share a connection are told the same, each of them', async () => {
  await start('r2');
  let asked = 0;
  const headers = async () => bearer(await token('ann', 700, Date.now() / 1000 + asked++));
  const client = createClient({ url: server.url, headers, share: true });
  const runs = ['r', 'r2'].map((id) => client.run(id));
  const leave = runs.map((run) => run.subscribe(() => {}));
  const all = (phase: string) => runs.every((run) => run.getSnapshot().connection === phase);
  await until(() => asked >= 4 && all('live') && server.hub.viewers === 1);
  server.auth.revoke('ann');
  await until(() => all('closed'));
  for (const run of runs) expect(run.getSnapshot().error).toMatchObject({ code: 'access_revoked', retryable: false });
  for (const it of leave) it();
  client.close();
});

describe('what is decided by functions of one’s own', () => {
  test('is decided anew: whoever may see a run no more is told so, and whose session ended comes again', async () => {
    await server.close();
    let [isShared, hasSession, isBroken] = [true, true, false];
    await serve({
      authenticate(request) {
        const isBob = hasSession && request.headers.get('cookie') === 'session=bob';
        return isBob ? { userId: 'bob', scopes: ['read'] } : undefined;
      },
      authorize() {
        if (isBroken) throw new Error('no database');
        return isShared;
      },
    });
    const headers = { cookie: 'session=bob' };
    const shared = await watch(KINDS.run, headers);
    isShared = false;
    expect((await shared.ended).endsWith(REVOKED)).toBe(true);
    expect((await get(server.url + KINDS.run, { headers })).statusCode).toBe(404);
    isShared = true;
    const several = await watch(KINDS.several, headers);
    isShared = false;
    expect((await several.ended).endsWith(EXPIRED)).toBe(true);
    isShared = true;
    const session = await watch(KINDS.run, headers);
    hasSession = false;
    expect((await session.ended).endsWith(EXPIRED)).toBe(true);
    hasSession = true;
    const unclear = await watch(KINDS.thread, headers);
    isBroken = true;
    expect((await unclear.ended).endsWith(EXPIRED)).toBe(true);
    expect((await get(server.url + KINDS.run, { headers })).statusCode).toBe(500);
    expect(server.errors).toHaveLength(1);
  });

  test('is decided before each page of history, and no page comes while that takes time', async () => {
    await server.close();
    let calls = 0;
    const gate = Promise.withResolvers<void>();
    await serve({
      authenticate: () => ({ userId: 'ann', scopes: ['read'] }),
      async authorize() {
        // The guard, then the first pages; the fourth question waits.
        if (++calls > 3) await gate.promise;
        return calls <= 3;
      },
    });
    const text = 'x'.repeat(1000);
    for (let i = 0; i < 20; i++)
      await server.runs.remote.append(
        'r',
        Array.from({ length: 1000 }, () => message(text)),
      );
    const answer = await get(`${server.url}${KINDS.run}?coalesce=off`);
    let got = 0;
    const ended = read(answer, (more) => {
      got += more.length;
    });
    await until(() => calls === 4);
    // Not so long that no answer is one.
    await sleep(RECHECK_MS / 2);
    expect(got).toBeLessThan(2_000_000);
    gate.resolve();
    expect((await ended).endsWith(REVOKED)).toBe(true);
  });
});
