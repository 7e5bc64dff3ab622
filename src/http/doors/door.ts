import type { Context, Hono } from 'hono';
import type { z } from 'zod';
import { isId, spelledId, TelltaleError } from '../../protocol/index.ts';
import type { RouteContext } from '../context.ts';
import type { Operations } from '../openapi/operation.ts';
import { tellFault } from '../stream.ts';
import { StreamQuery } from '../stream-request.ts';

/** The addresses at which another system's clients expect their server: routes, and nothing that decides anything. */
export interface Door {
  routes(context: RouteContext, options: DoorOptions): Hono;
  /** One for each route, as everywhere. */
  readonly operations: Operations;
  /** Every schema of a body or frame that its operations name, under the name that the document gives it. */
  readonly schemas: Readonly<Record<string, z.ZodType>>;
  readonly cors?: DoorCors;
}

export interface DoorOptions {
  /** What its POST starts, where the address does not name a registered agent; by default the only one there is. */
  readonly agent?: string;
}

/** What pages of other origins may do at a door, beside those of `allowedOrigins`, which may use all of them. */
export interface DoorCors {
  /** What its addresses begin with. */
  readonly path: string;
  /** The development servers of its front end. They count only where this server is reached under a loopback name. */
  readonly origins: readonly string[];
  /** Its front end may send headers of its own. */
  readonly headers?: '*';
  /** Its front end sends cookies: `withCredentials`. */
  readonly credentials?: true;
  /** Which headers of answers scripts may read; `*` is all of them, without credentials. */
  readonly exposed?: string;
}

/** The query of every door's stream; doors add their own. */
export const DoorQuery = StreamQuery.pick({ after: true, events: true, padding: true });

/** A handler that answers with a stream: a fault that passes is told inside a 200, as on every stream. */
export const streaming =
  <C extends Context>({ onError }: Pick<RouteContext, 'onError'>, answer: (c: C) => Promise<Response>) =>
  async (c: C): Promise<Response> => {
    try {
      return await answer(c);
    } catch (error) {
      return tellFault(c, error, onError);
    }
  };

/**
 * The agent that a door's POST starts.
 *
 * @throws {TelltaleError} `agent_not_found` where none is named and there is not exactly one.
 */
export function agentOf({ runs }: Pick<RouteContext, 'runs'>, { agent }: DoorOptions, door: string): string {
  const [only, ...more] = runs.agents.keys();
  const name = agent ?? (more.length === 0 ? only : undefined);
  if (name !== undefined) return name;
  throw new TelltaleError('agent_not_found', `Say which agent this door starts: doors: {"${door}": {agent: "…"}}.`);
}

/**
 * The thread of a session or conversation, or the run of an execution, that another system named (`spelledId`).
 *
 * @throws {TelltaleError} `invalid_request` for what can be no id.
 */
export function threadIdOf(text: string, what: string): string {
  const id = spelledId(text);
  if (isId(id)) return id;
  throw new TelltaleError(
    'invalid_request',
    `${what} must be a UUID, or 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-".`,
    { field: what },
  );
}

/** Milliseconds between two questions whether a thread that is there may be seen: as often as an open stream is asked about. */
export const ASK_AGAIN_MS = 15_000;

/** For a thread that may not be there yet, or that is somebody else's. */
export function unlessAbsent(error: unknown): undefined {
  if (!(error instanceof TelltaleError) || error.code !== 'thread_not_found') throw error;
}
