import type { Context } from 'hono';
import { TelltaleError } from '../../protocol/index.ts';
import type { Principal } from './principal.ts';

/** Who makes a request, and how that is known. */
export interface Visit {
  readonly principal: Principal;
  /** When it was found out, in milliseconds since 1970. */
  readonly at: number;
  /** A browser sent it by itself, so another site may have made the browser ask (CSRF). */
  readonly byCookie: boolean;
  /** Asks again, where that can change while the credential stays as it is; `undefined`: not any more. */
  readonly again?: () => Promise<Principal | undefined>;
  /** Whether it has expired or was taken back meanwhile, without asking anybody. @throws {TelltaleError} `unauthorized` */
  readonly recheck: () => void;
}

const visits = new WeakMap<Context, Visit>();

export const setVisit = (c: Context, visit: Visit): void => void visits.set(c, visit);

/** The visit of a request to a guarded server; `undefined` on an open one, and where the route needs nothing. */
export const visitOf = (c: Context): Visit | undefined => visits.get(c);

/**
 * For what took its time to come in: access may have ended since it was found out who asks.
 *
 * @throws {TelltaleError} `unauthorized`
 */
export const recheck = (c: Context): void => visitOf(c)?.recheck();

/** Who asks; `undefined` on a server without authentication. */
export const principalOf = (c: Context): Principal | undefined => visitOf(c)?.principal;

/**
 * Who is said to have given a command: whoever asks, where that is known. `by` is what the body says, which only a server
 * without authentication believes.
 *
 * @throws {TelltaleError} `invalid_request` where it says somebody else.
 */
export function byOf(c: Context, by: string | undefined): string | undefined {
  const userId = principalOf(c)?.userId;
  if (userId === undefined || by === undefined || by === userId) return userId ?? by;
  throw new TelltaleError(
    'invalid_request',
    'body.by: it names somebody else. Leave it out: the command is told as yours.',
  );
}
