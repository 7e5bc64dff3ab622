import { type Client, type ClientOptions, createClient } from 'telltale/client';

/** Where the server is: the console is served at its root, on whatever path that is mounted. */
export const serverUrl = (): URL => new URL('.', document.baseURI);

/** The server, as whoever has this token. Without one, all tabs share their connections. */
export function clientFor(token: string | undefined, more: Partial<ClientOptions> = {}): Client {
  return createClient({
    url: serverUrl(),
    ...(token === undefined ? { tabs: 'console' } : { headers: { authorization: `Bearer ${token}` } }),
    ...more,
  });
}
