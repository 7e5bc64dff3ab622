import { generateKeyPairSync } from 'node:crypto';
import { exportSPKI, generateKeyPair, UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AuthOptions, makeKey, type Telltale, telltale } from '../../index.ts';
import { send } from '../raw-request.fixture.ts';
import { AUDIENCE, bearer, ISSUER, Issuer } from './issuer.fixture.ts';

const ANN = { sub: 'ann', scope: 'read' };
const PINNED = { issuer: ISSUER, audience: AUDIENCE };
const SECRET = 'a secret of at least thirty-two bytes';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const close of closing.splice(0)) await close();
});

async function issuer(...algs: string[]): Promise<Issuer> {
  const it = await Issuer.start(algs.length > 0 ? algs : undefined);
  closing.push(() => it.close());
  return it;
}

async function serve(auth: AuthOptions, more: object = {}): Promise<{ app: Telltale; url: string; errors: unknown[] }> {
  const errors: unknown[] = [];
  const app = telltale({ store: 'memory:', auth, onError: (error) => errors.push(error), ...more });
  app.agent('a', () => {});
  const { url } = await app.listen(0);
  closing.push(() => app.close());
  return { app, url, errors };
}

const ask = (url: string, headers: Record<string, string>): Promise<Response> => fetch(`${url}/v1/runs`, { headers });
const status = async (url: string, token: string): Promise<number> => (await ask(url, bearer(token))).status;

describe('a token (P8)', () => {
  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('of an issuer is taken, signed by %s', async (alg) => {
    const it = await issuer(alg);
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    expect(await status(url, await it.token(ANN))).toBe(200);
    expect(await status(url, await it.token(ANN, { exp: false }))).toBe(401);
  });

  test('is taken by a public key alone, and by a shared secret', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const it = await issuer();
    const byKey = await serve({ jwt: { publicKey: await exportSPKI(publicKey), ...PINNED } });
    expect(await status(byKey.url, await it.token(ANN, { key: privateKey }))).toBe(200);
    expect(await status(byKey.url, await it.token(ANN))).toBe(401);
    const bySecret = await serve({ jwt: { secret: SECRET, ...PINNED } });
    expect(await status(bySecret.url, await it.token(ANN, { alg: 'HS256', key: Buffer.from(SECRET) }))).toBe(200);
    expect(await status(bySecret.url, await it.token(ANN, { alg: 'HS512', key: Buffer.from(SECRET) }))).toBe(401);
    expect(await status(bySecret.url, await it.token(ANN, { alg: 'HS256', key: Buffer.from(SECRET + 1) }))).toBe(401);
  });

  test('that is forged, malformed or for somebody else is not valid, and nothing says why', async () => {
    const it = await issuer('RS256');
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const { url, errors } = await serve({ jwt: { publicKey: pem, ...PINNED } });
    const jwks = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    const good = await it.token(ANN);
    const [head = '', body = '', signature = ''] = good.split('.');
    const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { ...ANN, iss: ISSUER, aud: AUDIENCE, exp: now + 60 };
    const forged = {
      'alg none': new UnsecuredJWT(claims).encode(),
      'alg none, signed': `${encoded({ alg: 'none' })}.${encoded(claims)}.${signature}`,
      'alg None': `${encoded({ alg: 'None' })}.${encoded(claims)}.`,
      'a public key as a secret': await it.token(ANN, { alg: 'HS256', key: Buffer.from(pem) }),
      'no signature': `${head}.${body}.`,
      'other claims under a signature': `${head}.${encoded({ ...claims, scope: 'admin' })}.${signature}`,
      'another issuer': await it.token({ ...ANN, iss: 'https://id.example' }),
      'another audience': await it.token({ ...ANN, aud: ['one', 'two'] }),
      'no audience': await it.token({ ...ANN, aud: undefined as never }),
      'not yet': await it.token({ ...ANN, nbf: now + 60 }),
      'without an end': await it.token(ANN, { exp: false }),
      'an unknown key': await it.token(ANN, { kid: 'nobody', alg: 'RS256', key: it.keyOf('RS256') }),
      'a key that is a path': await it.token(ANN, { kid: '../../etc/passwd', alg: 'RS256', key: it.keyOf('RS256') }),
      'a key of its own': `${encoded({ alg: 'RS256', jwk: {}, jku: it.url })}.${body}.${signature}`,
      'no name': await it.token({ scope: 'read' }),
      'a name too long': await it.token({ sub: 'x'.repeat(257), scope: 'read' }),
      'a critical header': `${encoded({ alg: 'RS256', crit: ['b64'], b64: false })}.${body}.${signature}`,
      'no token at all': 'abc',
      'two dots': '..',
      'too long': `${good}${'A'.repeat(8192)}`,
    };
    for (const [what, token] of Object.entries(forged)) {
      for (const server of [url, jwks.url]) {
        const answer = await ask(server, bearer(token));
        const problem = (await answer.json()) as { code: string; detail: string };
        expect([what, answer.status, problem]).toEqual([
          what,
          401,
          expect.objectContaining({ code: 'unauthorized', detail: 'The token is not valid.', reason: 'invalid' }),
        ]);
        expect(answer.headers.get('www-authenticate')).toBe(
          'Bearer realm="telltale", error="invalid_token", error_description="The token is not valid"',
        );
      }
    }
    expect(await status(jwks.url, good)).toBe(200);
    expect(errors).toEqual([]);
  });

  test('that has expired is told so, with little patience for clocks', async () => {
    const it = await issuer();
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    const now = Math.floor(Date.now() / 1000);
    expect(await status(url, await it.token(ANN, { exp: now - 2 }))).toBe(200);
    const answer = await ask(url, bearer(await it.token(ANN, { exp: now - 10 })));
    expect([answer.status, await answer.json()]).toEqual([401, expect.objectContaining({ reason: 'expired' })]);
    expect(answer.headers.get('www-authenticate')).toContain('error_description="The token has expired"');
  });

  test('is remembered for a minute, but not beyond its end', async () => {
    const it = await issuer();
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    const token = await it.token(ANN, { exp: Math.floor(Date.now() / 1000) + 30 });
    expect(await status(url, token)).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 36_000 });
    expect(await status(url, token)).toBe(401);
  });

  test('names its claims as the issuer does, where an own function reads them', async () => {
    const it = await issuer();
    const principal = ({ email, org }: Readonly<Record<string, unknown>>) =>
      typeof email === 'string' ? { userId: email, tenantId: String(org), scopes: ['start' as const] } : undefined;
    const { app, url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED, principal } });
    const headers = { ...bearer(await it.token({ email: 'a@b.example', org: 7 })), 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1/runs`, { method: 'POST', headers, body: '{"agent":"a","runId":"r"}' });
    expect(answer.status).toBe(201);
    expect(await (await app.log()).runs.get('r')).toMatchObject({ owner: 'a@b.example', tenant: '7' });
    expect(await status(url, await it.token({ sub: 'ann' }))).toBe(401);
  });
});

describe('the keys of an issuer', () => {
  test('are renewed when a token names one that is not known, and not more often than every 30 s', async () => {
    const it = await issuer();
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    expect(await status(url, await it.token(ANN))).toBe(200);
    for (let i = 0; i < 5; i++) {
      const unknown = await it.token({ ...ANN, i }, { kid: `k${i}`, alg: 'ES256', key: it.keyOf('ES256') });
      expect(await status(url, unknown)).toBe(401);
    }
    expect(it.fetched).toBe(1);
    await it.addKey('next', 'ES256');
    it.removeKey('ES256');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    expect(await status(url, await it.token(ANN, { kid: 'next' }))).toBe(200);
    expect(it.fetched).toBe(2);
  });

  test('that cannot be fetched are a fault that passes, never a refusal', async () => {
    const it = await issuer();
    it.isDown = true;
    const { url, errors } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    const token = await it.token(ANN);
    const answer = await ask(url, bearer(token));
    expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
    expect(await answer.json()).toMatchObject({ code: 'auth_unavailable', retryable: true });
    expect(errors).toHaveLength(1);
    expect(JSON.stringify(errors) + String(errors)).not.toContain(token);
    // Any other status would end an EventSource for good.
    const stream = await fetch(`${url}/v1/runs/r/stream`, { headers: bearer(token) });
    expect([stream.status, await stream.text()]).toEqual([
      200,
      expect.stringMatching(/^: auth_unavailable.*\n\nretry: /),
    ]);
    it.isDown = false;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 });
    expect(await status(url, token)).toBe(200);
  });

  test('go on working while the issuer is away, however old; a new key is then a fault that passes', async () => {
    const it = await issuer();
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    expect(await status(url, await it.token(ANN))).toBe(200);
    it.isDown = true;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 86_400_000 });
    expect(await status(url, await it.token({ ...ANN, later: true }))).toBe(200);
    await it.addKey('next', 'ES256');
    expect(await status(url, await it.token(ANN, { kid: 'next' }))).toBe(503);
    // Not asked for each of them: once in five seconds.
    expect(it.fetched).toBe(2);
  });

  test('are not asked for with every made-up name while the issuer is away, and those that are known work on', async () => {
    const it = await issuer();
    const { url } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    expect(await status(url, await it.token(ANN))).toBe(200);
    it.isDown = true;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
    for (let i = 0; i < 5; i++) {
      const unknown = await it.token({ ...ANN, i }, { kid: `k${i}`, alg: 'ES256', key: it.keyOf('ES256') });
      expect(await status(url, unknown)).toBe(503);
      expect(await status(url, await it.token({ ...ANN, i }))).toBe(200);
    }
    expect(it.fetched).toBe(2);
  });

  test('are a fault that passes where they are more than any issuer has', async () => {
    const it = await issuer();
    const { url, errors } = await serve({ jwt: { jwksUrl: it.url, ...PINNED } });
    it.padding = 2 * 1024 * 1024;
    expect(await status(url, await it.token(ANN))).toBe(503);
    expect(errors).toHaveLength(1);
  });
});

describe('an API key', () => {
  const { key, entry } = makeKey({ userId: 'worker', scopes: ['write', 'start', 'read'] });

  test('is taken, beside tokens; nothing of it is kept but a hash', async () => {
    const it = await issuer();
    const { url } = await serve({ apiKeys: [entry], jwt: { jwksUrl: it.url, ...PINNED } });
    expect(await status(url, key)).toBe(200);
    expect(await status(url, await it.token(ANN))).toBe(200);
    expect(await status(url, `${key}x`)).toBe(401);
    expect(await status(url, 'tt_')).toBe(401);
    expect(JSON.stringify(entry)).not.toContain(key.slice(3));
    expect(key).toMatch(/^tt_[\w-]{43}$/);
  });

  test.each<[string, object]>([
    ['no hash', { ...entry, hash: undefined }],
    ['the key itself', { ...entry, hash: key }],
    ['no scopes', { ...entry, scopes: undefined }],
    ['a scope that is none', { ...entry, scopes: ['reed'] }],
    ['an empty tenant', { ...entry, tenantId: '' }],
    ['a member too many', { ...entry, scope: 'read' }],
    ['nothing', null as unknown as object],
  ])('whose entry has %s is refused at the start, without being repeated', (_what, wrong) => {
    const attempt = () => telltale({ auth: { apiKeys: [wrong as typeof entry] } });
    expect(attempt).toThrow(expect.objectContaining({ code: 'invalid_option' }));
    expect(attempt).not.toThrow(key);
  });
});

describe('where a credential may be', () => {
  const { key, entry } = makeKey({ userId: 'worker', scopes: ['read'] });

  test.each(['access_token', 'token', 'api_key', 'apiKey', 'jwt', 'key', 'Authorization'])(
    'not in the address: ?%s= is refused, and not repeated',
    async (name) => {
      const { url, errors } = await serve({ apiKeys: [entry] });
      for (const path of ['/v1/runs', '/v1/runs/r/stream', '/v1/stream']) {
        const answer = await fetch(`${url}${path}?${name}=${key}`, { headers: bearer(key) });
        const text = await answer.text();
        expect([answer.status, text]).toEqual([400, expect.stringContaining('Authorization: Bearer')]);
        expect(text).not.toContain(key);
      }
      expect(errors).toEqual([]);
    },
  );

  test.each([
    ['a scheme alone', ['Authorization: Bearer'], 401],
    ['two spaces', [`Authorization: Bearer  ${key}`], 401],
    ['another scheme', [`Authorization: Basic ${key}`], 401],
    ['nothing', ['Authorization: '], 401],
    ['a tab', [`Authorization: Bearer\t${key}`], 401],
    ['what is no ASCII', ['Authorization: Bearer \xe9\xe9'], 401],
    ['a small scheme', [`Authorization: bearer ${key}`], 200],
    ['two headers', [`Authorization: Bearer ${key}`, 'Authorization: Bearer other'], 400],
    ['two equal headers', [`Authorization: Bearer ${key}`, `Authorization: Bearer ${key}`], 400],
    ['a list', [`Authorization: Bearer ${key}, Bearer ${key}`], 400],
    ['another header', [`X-Api-Key: ${key}`], 401],
    ['a cookie nobody asked for', [`Cookie: token=${key}`], 401],
  ])('%s', async (_what, headers, expected) => {
    const { url } = await serve({ apiKeys: [entry] });
    expect((await send(url, { target: '/v1/runs', headers })).status).toBe(expected);
  });

  test('in a cookie: one of the name, with proof of where a write comes from', async () => {
    const it = await issuer();
    const jwt = { jwksUrl: it.url, ...PINNED, cookie: '__Host-telltale' };
    const { url } = await serve({ jwt }, { allowedOrigins: ['https://app.example'] });
    const token = await it.token({ ...ANN, scope: 'read start' });
    const cookie = `Cookie: a=b; __Host-telltale=${token}`;
    const list = (...headers: string[]) => send(url, { target: '/v1/runs', headers });
    const start = (...headers: string[]) => {
      const all = ['Content-Type: application/json', ...headers];
      return send(url, { method: 'POST', target: '/v1/runs', headers: all, body: '{"agent":"a"}' });
    };
    expect((await list(cookie)).status).toBe(200);
    expect((await list('Cookie: telltale=x')).status).toBe(401);
    expect((await list(`Cookie: __Host-telltale=${token}; __Host-telltale=${token}`)).status).toBe(400);
    expect((await list(`Cookie: __Host-telltale=${token}${'x'.repeat(8192)}`)).status).toBe(401);
    // A header decides alone.
    expect((await list(cookie, 'Authorization: Bearer nonsense')).status).toBe(401);
    const host = new URL(url).origin;
    for (const [headers, expected] of [
      [[`Origin: ${host}`], 201],
      [['Sec-Fetch-Site: same-origin'], 201],
      [['Origin: https://app.example', 'Sec-Fetch-Site: cross-site'], 201],
      [[], 403],
      [['Sec-Fetch-Site: cross-site'], 403],
      [['Sec-Fetch-Site: same-site'], 403],
      [['Origin: null'], 403],
      [['Origin: https://evil.example'], 403],
    ] as const) {
      expect([headers, (await start(cookie, ...headers)).status]).toEqual([headers, expected]);
    }
    const allowed = await list(cookie, 'Origin: https://app.example');
    expect(allowed.headers['access-control-allow-credentials']).toBe('true');
    // A bearer token is never sent by a browser of itself.
    expect((await start(`Authorization: Bearer ${token}`)).status).toBe(201);
  });
});

describe('a function of one’s own', () => {
  test('says who asks; nobody is 401, and what it throws is a fault of the server', async () => {
    const { url, errors } = await serve({
      authenticate(request) {
        const user = request.headers.get('x-user');
        if (user === 'broken') throw new Error(`no database for ${user}`);
        return user ? { userId: user, scopes: ['read'] } : undefined;
      },
    });
    expect((await ask(url, { 'x-user': 'ann' })).status).toBe(200);
    const nobody = await ask(url, {});
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="telltale"']);
    const broken = await ask(url, { 'x-user': 'broken' });
    expect([broken.status, await broken.text()]).toEqual([500, expect.not.stringContaining('database')]);
    expect(errors).toHaveLength(1);
  });

  test('has the last word on runs and threads: it shares and withholds', async () => {
    const asked: object[] = [];
    const { app, url } = await serve({
      authenticate: () => ({ userId: 'bob', scopes: ['read'] }),
      authorize({ run, thread, allowed, action }) {
        asked.push({ id: run?.runId ?? thread?.threadId, owner: (run ?? thread)?.owner, action, allowed });
        return run?.runId === 'shared' || (allowed && run?.runId !== 'withheld');
      },
    });
    for (const [runId, owner] of Object.entries({ shared: 'ann', foreign: 'ann', own: 'bob', withheld: 'bob' })) {
      await app.start({ agent: 'a', owner, runId, mode: 'remote' });
    }
    const statuses: Record<string, number> = {};
    for (const id of ['shared', 'foreign', 'own', 'withheld'])
      statuses[id] = (await fetch(`${url}/v1/runs/${id}`)).status;
    expect(statuses).toEqual({ shared: 200, foreign: 404, own: 200, withheld: 404 });
    expect((await fetch(`${url}/v1/threads/own`)).status).toBe(200);
    expect(asked).toContainEqual({ id: 'shared', owner: 'ann', action: 'read', allowed: false });
    expect(asked.at(-1)).toEqual({ id: 'own', owner: 'bob', action: 'read', allowed: true });
  });
});

test.each<[string, object]>([
  ['nothing', {}],
  ['an unknown member', { jwks: {} }],
  ['jwt and an own function', { jwt: { secret: SECRET, ...PINNED }, authenticate: () => undefined }],
  ['no issuer', { jwt: { secret: SECRET, audience: AUDIENCE } }],
  ['no audience', { jwt: { secret: SECRET, issuer: ISSUER } }],
  ['no key', { jwt: PINNED }],
  ['two keys', { jwt: { secret: SECRET, jwksUrl: 'https://id.example/jwks', ...PINNED } }],
  ['a short secret', { jwt: { secret: 'short', ...PINNED } }],
  ['plain HTTP', { jwt: { jwksUrl: 'http://id.example/jwks', ...PINNED } }],
  ['alg none', { jwt: { secret: SECRET, algorithms: ['none'], ...PINNED } }],
  ['a secret for RS256', { jwt: { secret: SECRET, algorithms: ['RS256'], ...PINNED } }],
  ['published keys for HS256', { jwt: { jwksUrl: 'https://id.example/jwks', algorithms: ['HS256'], ...PINNED } }],
  ['no algorithm', { jwt: { secret: SECRET, algorithms: [], ...PINNED } }],
  ['a public key that is none', { jwt: { publicKey: 'ssh-rsa AAAA', ...PINNED } }],
])('auth with %s is refused when it is set up', (_what, auth) => {
  expect(() => telltale({ auth: auth as AuthOptions })).toThrow(expect.objectContaining({ code: 'invalid_option' }));
});

test('the name of who gives a command is not the body’s to say', async () => {
  const { key, entry } = makeKey({ userId: 'ann', scopes: ['control', 'start', 'read'] });
  const { app, url } = await serve({ apiKeys: [entry] });
  await app.start({ agent: 'a', owner: 'ann', runId: 'r', mode: 'remote' });
  const cancel = (body: object) => {
    const headers = { ...bearer(key), 'content-type': 'application/json' };
    return fetch(`${url}/v1/runs/r/cancel`, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  const refused = await cancel({ by: 'bob' });
  expect([refused.status, await refused.json()]).toEqual([400, expect.objectContaining({ code: 'invalid_request' })]);
  expect((await cancel({ by: 'ann' })).status).toBe(202);
  expect((await cancel({ reason: 'enough' })).status).toBe(202);
  const page = (await (await fetch(`${url}/v1/runs/r/events`, { headers: bearer(key) })).json()) as {
    events: { type: string; data: { by?: string } }[];
  };
  const commands = page.events.filter(({ type }) => type === 'control.requested');
  expect(commands.map(({ data }) => data.by)).toEqual(['ann', 'ann']);
});

test('with authentication the server listens on any address, and without on loopback alone', async () => {
  const { entry } = makeKey({ userId: 'ann', scopes: [] });
  const guarded = telltale({ store: 'memory:', auth: { apiKeys: [entry] } });
  const { url } = await guarded.listen(0, '0.0.0.0');
  expect((await fetch(`http://127.0.0.1:${new URL(url).port}/v1/runs`)).status).toBe(401);
  await guarded.close();
  const open = telltale({ store: 'memory:' });
  await expect(open.listen(0, '0.0.0.0')).rejects.toMatchObject({ code: 'unsafe_bind' });
  expect(() => open.revoke('ann')).toThrow(expect.objectContaining({ code: 'invalid_option' }));
  await open.close();
});
