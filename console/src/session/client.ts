import { type Caller, type Client, type ClientOptions, createClient } from 'telltale/client';
import { currentSession } from './session.ts';

/** Where the server is: the console is served at its root, on whatever path that is mounted. */
export const serverUrl = (): URL => new URL('.', document.baseURI);

const bearer = (token: string): HeadersInit => ({ authorization: `Bearer ${token}` });

/** The server, as whoever is signed in, with his newest token. Where nobody is, all tabs share their connections. */
export function clientFor(more: Partial<ClientOptions> = {}): Client {
  const { visit, token } = currentSession();
  const newest = (): string | undefined => (currentSession().visit === visit ? currentSession().token : token);
  return createClient({
    url: serverUrl(),
    ...(token === undefined ? { tabs: 'console' } : { headers: () => bearer(newest() ?? token) }),
    ...more,
  });
}

/**
 * Whom a token makes, before it is kept.
 *
 * @throws {TelltaleError} `unauthorized` for one that is not good.
 */
export async function tryToken(token: string): Promise<Caller> {
  const client = createClient({ url: serverUrl(), headers: bearer(token) });
  try {
    return await client.whoami();
  } finally {
    client.close();
  }
}
