/** A whole server on a memory log, for the tests of streams: real sockets, settable times. */
import { Hub, type HubOptions } from '../hub/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { LIMITS } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import { createApp, listen } from './index.ts';

export interface StreamServer {
  readonly url: string;
  readonly log: Log;
  readonly hub: Hub;
  /** What went wrong on the server, expected to be nothing. */
  readonly errors: unknown[];
  close(): Promise<void>;
}

export async function streamServer(options: HubOptions = {}, log: Log = openMemory()): Promise<StreamServer> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const hub = new Hub(log, { onError, ...options });
  const runs = new Runs(log, { limits: LIMITS });
  const app = createApp({ log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [ORIGIN], onError });
  const server = await listen(app, { port: 0, host: '127.0.0.1', onError });
  const close = async () => {
    await Promise.all([server.close(), hub.close()]);
    await runs.close();
    await log.close();
  };
  return { url: server.url, log, hub, errors, close };
}

/** An origin that the server allows. */
export const ORIGIN = 'https://app.example';
