/** Telltale on a memory log with short times, as any host mounts it. */
import { Hub } from '../hub/index.ts';
import { openMemory } from '../log/memory.ts';
import { LIMITS } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import type { ConsoleFiles } from './console/index.ts';
import { createApp, type NodeRequest, type NodeResponse, serveFetch, serveNode } from './index.ts';

export interface Mounted {
  readonly hub: Hub;
  /** What went wrong on the server. */
  readonly errors: unknown[];
  readonly fetch: (request: Request) => Promise<Response>;
  readonly handler: (request: NodeRequest, response: NodeResponse) => Promise<void>;
  close(): Promise<void>;
}

export function mounted(more: { readonly console?: ConsoleFiles | false } = {}): Mounted {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const log = openMemory();
  const hub = new Hub(log, { heartbeatMs: 160, stalledMs: 700, onError });
  const runs = new Runs(log, { limits: LIMITS });
  const app = createApp({ log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError, ...more });
  return {
    hub,
    errors,
    fetch: (request) => serveFetch(() => app, onError, request),
    handler: (request, response) => serveNode(() => app, onError, request, response),
    async close() {
      await hub.close();
      await runs.close();
      await log.close();
    },
  };
}
