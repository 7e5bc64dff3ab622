/** A guarded app on a memory log that decides anew every 100 ms, and its clients. */
import { Hub } from '../../hub/index.ts';
import { openMemory } from '../../log/memory.ts';
import { LIMITS } from '../../protocol/index.ts';
import { Runs } from '../../runs/index.ts';
import { createApp, listen } from '../index.ts';
import { Auth } from './auth.ts';
import type { AuthOptions } from './options.ts';

export const RECHECK_MS = 100;

export async function guarded(options: AuthOptions) {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const log = openMemory();
  const hub = new Hub(log, { onError });
  const runs = new Runs(log, { limits: LIMITS });
  const auth = new Auth(options, RECHECK_MS);
  const app = createApp({ log, hub, runs, auth, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError });
  const server = await listen(app, { port: 0, host: '127.0.0.1', onError, isGuarded: true });
  return {
    ...{ log, hub, runs, auth, errors, url: server.url },
    async close() {
      const closed = server.close();
      await hub.close();
      await closed;
      await runs.close();
      await log.close();
    },
  };
}

export type Guarded = Awaited<ReturnType<typeof guarded>>;
