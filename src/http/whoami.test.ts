import { afterAll, describe, expect, test } from 'vitest';
import { createClient } from '../client/index.ts';
import { type Telltale, type TelltaleOptions, telltale } from '../index.ts';
import { makeKey } from './access/index.ts';
import { bearer } from './access/issuer.fixture.ts';

const open: Telltale[] = [];
afterAll(() => Promise.all(open.map((app) => app.close())));

async function serve(options: TelltaleOptions = {}): Promise<{ app: Telltale; url: string }> {
  const app = telltale({ store: 'memory:', ...options });
  open.push(app);
  return { app, url: (await app.listen(0)).url };
}

const ann = makeKey({ userId: 'ann', tenantId: 'acme', scopes: ['read', 'start'] });
const bob = makeKey({ userId: 'bob', scopes: ['read'] });
const { app, url } = await serve({ auth: { apiKeys: [ann.entry, bob.entry] } });
const ask = (headers: HeadersInit = {}, at = url) => fetch(`${at}/v1/whoami`, { headers });

describe('who one is to a server (P8)', () => {
  test('an open server says that it asks nobody', async () => {
    const { url } = await serve();
    for (const headers of [{}, bearer('anything')]) {
      expect(await (await ask(headers, url)).json()).toEqual({ authentication: false });
    }
  });

  test('nobody learns that a key is needed, and of nobody else', async () => {
    const answer = await ask();
    expect([answer.status, await answer.json()]).toEqual([200, { authentication: true }]);
    const { headers } = await fetch(`${url}/v1/runs`);
    expect(headers.get('www-authenticate')).toBe('Bearer realm="telltale"');
  });

  test('a key is told its own user, tenant and scopes', async () => {
    const of = async (key: string) => (await ask(bearer(key))).json();
    const principal = { userId: 'ann', tenantId: 'acme', scopes: ['read', 'start'] };
    expect(await of(ann.key)).toEqual({ authentication: true, principal });
    expect(await of(bob.key)).toEqual({ authentication: true, principal: { userId: 'bob', scopes: ['read'] } });
  });

  test('what is not good is refused in the words of every route, and says no more', async () => {
    const stranger = makeKey({ userId: 'eve', scopes: ['admin'] });
    for (const headers of [bearer(stranger.key), bearer('x'), { authorization: 'Basic YTpi' }]) {
      const answers = [await ask(headers), await fetch(`${url}/v1/runs`, { headers })];
      const told = answers.map(async (it) => [it.status, it.headers.get('www-authenticate'), await it.text()]);
      const [here, there] = await Promise.all(told);
      expect(here).toEqual(there);
      expect(here).toEqual([401, expect.stringContaining('invalid_token'), expect.stringContaining('not valid')]);
    }
    expect((await fetch(`${url}/v1/whoami?token=${ann.key}`)).status).toBe(400);
  });

  test('what was taken back is not good any more', async () => {
    app.revoke('bob');
    expect((await ask(bearer(bob.key))).status).toBe(401);
  });

  test('a function of one’s own is asked, and its expiry and times stay with the server', async () => {
    const { url } = await serve({
      auth: {
        authenticate: (request) =>
          request.headers.get('cookie') === 'sid=1'
            ? { userId: 'cy', scopes: ['admin'], expiresAt: Date.now() + 60_000, issuedAt: 1 }
            : undefined,
      },
    });
    expect(await (await ask({ cookie: 'sid=1' }, url)).json()).toEqual({
      authentication: true,
      principal: { userId: 'cy', scopes: ['admin'] },
    });
    expect(await (await ask({ cookie: 'sid=2' }, url)).json()).toEqual({ authentication: true });
    expect((await ask(bearer('x'), url)).status).toBe(401);
  });

  test('who has not said who he is, is told by every other route how', async () => {
    const { detail } = (await (await fetch(`${url}/v1/runs`)).json()) as { detail: string };
    expect(detail).toBe('Say who asks: send an API key or a token as "Authorization: Bearer <token>".');
  });
});

test('a client asks it with its headers', async () => {
  const client = createClient({ url, headers: bearer(ann.key) });
  expect(await client.whoami()).toMatchObject({ authentication: true, principal: { userId: 'ann' } });
  const other = createClient({ url, headers: bearer('no key') });
  await expect(other.whoami()).rejects.toMatchObject({ code: 'unauthorized' });
  client.close();
  other.close();
});
