import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { spelledId, TelltaleError } from '../../protocol/index.ts';
import type { Operation, Operations } from '../openapi/operation.ts';
import { checkWriter } from '../origin.ts';
import type { Access } from './access.ts';
import type { Scope } from './principal.ts';

/** A route, with what it needs and where its address names a run or thread. */
interface Guarded {
  readonly operation: Operation;
  readonly scope: Scope | undefined;
  readonly find: (path: string) => { readonly runId?: string; readonly threadId?: string };
}

/**
 * Lets a request through to its route if whoever asks has what the route needs, by the table of operations alone. A route
 * that the table does not know is refused.
 *
 * @param onRefusal makes the answer of what was thrown, with what the route says of itself.
 */
export function guard(
  operations: Operations,
  access: Access,
  onRefusal: (c: Context, error: unknown, operation: Operation) => Response,
): MiddlewareHandler {
  const known = new Map(Object.entries(operations).map(([key, operation]) => [key, guardedOf(key, operation)]));
  return async (c, next) => {
    // The handlers that match, in order: the first one answers. None: there is no such address.
    const route = matchedRoutes(c).find(({ method }) => method !== 'ALL');
    if (!route) return next();
    const key = `${route.method} ${route.path.replace(/:(\w+)/g, '{$1}')}`;
    const guarded = known.get(key);
    if (!guarded) throw new TelltaleError('internal', `${key} is not among the operations: nobody may use it.`);
    if (guarded.scope === undefined) return next();
    try {
      await admit(c, access, guarded, guarded.scope);
    } catch (error) {
      return onRefusal(c, error, guarded.operation);
    }
    return next();
  };
}

async function admit(c: Context, access: Access, { find }: Guarded, scope: Scope): Promise<void> {
  const visit = await access.enter(c, scope);
  if (scope !== 'read') checkWriter(c, visit?.byCookie === true);
  if (!visit) return;
  const { runId, threadId } = find(c.req.path);
  // To its owner the route itself says that it was deleted: that is not the same everywhere.
  if (runId !== undefined) await access.run(c, scope, spelledId(runId)).catch(unlessDeleted);
  if (threadId === undefined) return;
  // A thread begins with what is written to it.
  if (scope === 'write' || scope === 'start') await access.admit(c)?.(threadId, '');
  else await access.thread(c, scope, threadId);
}

function guardedOf(key: string, operation: Operation): Guarded {
  const { needs } = operation;
  const {
    scope,
    run = 'runId',
    thread = 'threadId',
  } = typeof needs === 'object' ? needs : { scope: needs === 'nothing' ? undefined : needs };
  const path = key.slice(key.indexOf(' ') + 1);
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const pattern = new RegExp(`^${path.replace(/\{\w+\}/g, '([^/]+)')}$`);
  return {
    operation,
    scope,
    find(actual) {
      const values = pattern.exec(actual) ?? [];
      // As the router does it, so that what is checked is what is looked up.
      const at = (name: string) => tryDecode(values[names.indexOf(name) + 1] ?? '');
      const runId = names.includes(run) ? at(run) : undefined;
      const threadId = names.includes(thread) ? at(thread) : undefined;
      return { ...(runId !== undefined && { runId }), ...(threadId !== undefined && { threadId }) };
    },
  };
}

function tryDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof TelltaleError) || error.code !== 'run_deleted') throw error;
}
