import type { Hono } from 'hono';
import { Hub } from '../hub/index.ts';
import { randomId } from '../protocol/index.ts';
import { createApp } from './app.ts';
import type { AppContext } from './context.ts';
import { type Listening, listen } from './listen.ts';

/** The HTTP interface over a hub that nobody else has, so that closing it ends its streams and no others. */
export interface OpenApp {
  readonly app: Hono;
  readonly hub: Hub;
}

export function openApp(parts: Omit<AppContext, 'hub'>): OpenApp {
  const { log, onError } = parts;
  const hub = new Hub(log, {
    onError: (error, threadId) =>
      onError(error, {
        errorId: randomId(12),
        method: 'GET',
        path: threadId === undefined ? '/v1/runs' : `/v1/threads/${threadId}/stream`,
      }),
  });
  return { app: createApp({ ...parts, hub }), hub };
}

/** A server of its own. */
export async function listenApart(parts: Omit<AppContext, 'hub'>, port: number, host: string): Promise<Listening> {
  const { app, hub } = openApp(parts);
  try {
    const { onError, auth } = parts;
    const server = await listen(app, { port, host, onError, isGuarded: auth !== undefined });
    return {
      url: server.url,
      async close() {
        const closed = server.close();
        await hub.close();
        await closed;
      },
    };
  } catch (error) {
    await hub.close();
    throw error;
  }
}
