/**
 * From where a server may be talked to, whoever asks: by programs, and by pages that it was told of. The attacks are
 * DNS rebinding (a page of evil.test whose name suddenly means 127.0.0.1: CVE-2025-66414, CVE-2026-34742),
 * pages that post across sites, and origins that merely look like an allowed one (CVE-2026-22812, CVE-2026-27977).
 */
import type { Context, MiddlewareHandler } from 'hono';
import { TelltaleError } from '../protocol/index.ts';
import type { DoorCors } from './doors/door.ts';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/;
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/;

const ALLOWED_METHODS = 'GET, HEAD, POST, DELETE';
const ALLOWED_HEADERS =
  'authorization, content-type, idempotency-key, last-event-id, producer-id, producer-epoch, producer-seq';
const EXPOSED_HEADERS = 'location, retry-after, www-authenticate';
const PREFLIGHT_SECONDS = '600';

export interface OriginRules {
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Pages of allowed origins may send the cookies that they have of this one. */
  readonly usesCookie?: boolean;
  /** What doors add, each for its own addresses. */
  readonly cors?: readonly DoorCors[];
}

/**
 * Refuses every request whose `Host` or `Origin` is not expected, answers preflights, and sets CORS headers for the
 * allowed origins.
 *
 * @throws {TelltaleError} at once, `invalid_option`, for a rule that could never match.
 */
export function checkOrigin(rules: OriginRules): MiddlewareHandler {
  const hosts = new Set(rules.allowedHosts.map(asHost));
  const origins = new Set(rules.allowedOrigins.map(asOrigin));
  return async (c, next) => {
    const url = new URL(c.req.url);
    checkHost(hosts, c.req.header('host') ?? url.host);
    // A request line with a whole URL decides over the Host header (RFC 9112 section 3.2.2), so both have to be allowed.
    checkHost(hosts, url.host);

    c.header('vary', 'Origin');
    const origin = c.req.header('origin');
    if (origin === undefined) {
      // Browsers name the origin of every request that could change something; one that does not is judged by this.
      if (c.req.header('sec-fetch-site') === 'cross-site' && !isSafe(c.req.method))
        throw originRefused('of another site');
      return next();
    }
    if (origin === url.origin) return next();
    const door = rules.cors?.find(({ path }) => url.pathname.startsWith(path));
    // A page of this machine's own development server; under any other name this one may be the world's.
    const isOfDoor = door?.origins.includes(origin) && isLoopback(url.hostname);
    if (!origins.has(origin) && !isOfDoor) throw originRefused(origin);
    c.header('access-control-allow-origin', origin);
    c.header('access-control-expose-headers', door?.exposed ?? EXPOSED_HEADERS);
    if (door?.credentials || rules.usesCookie) c.header('access-control-allow-credentials', 'true');
    if (c.req.method !== 'OPTIONS' || !c.req.header('access-control-request-method')) return next();
    return c.body(null, 204, {
      'access-control-allow-methods': ALLOWED_METHODS,
      // `*` does not stand for Authorization.
      'access-control-allow-headers': door?.headers ? `${ALLOWED_HEADERS}, ${door.headers}` : ALLOWED_HEADERS,
      'access-control-max-age': PREFLIGHT_SECONDS,
    });
  };
}

/**
 * For what changes something, whatever its method: a GET that starts a run too. An image or a link on another site sends
 * no Origin, but says that it is one; a cookie alone is no proof that whoever it belongs to has asked.
 *
 * @throws {TelltaleError} `origin_refused`
 */
export function checkWriter(c: Context, byCookie: boolean): void {
  // It is one of those that are allowed, or `checkOrigin` would have refused it.
  if (c.req.header('origin') !== undefined) return;
  const site = c.req.header('sec-fetch-site');
  if (site === 'same-origin' || site === 'none' || (site === undefined && !byCookie)) return;
  if (site !== undefined) throw originRefused('of another site');
  const detail =
    'A cookie alone may not change anything. Send Origin or Sec-Fetch-Site, as browsers do, or a bearer token.';
  throw new TelltaleError('origin_refused', detail);
}

/** Whether only this machine can mean itself by that name or address. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** Exact names only: no trailing dot, no suffixes, no other spellings of an address. The port is not the attack. */
function checkHost(allowed: ReadonlySet<string>, host: string): void {
  const name = HOST.exec(host.toLowerCase())?.[1];
  if (name !== undefined && (isLoopback(name) || allowed.has(name))) return;
  throw new TelltaleError(
    'host_refused',
    `This server does not answer to the Host ${JSON.stringify(host.slice(0, 100))}. Use localhost, or add the name to allowedHosts.`,
  );
}

function originRefused(origin: string): TelltaleError {
  return new TelltaleError(
    'origin_refused',
    `Pages ${origin === 'of another site' ? origin : `of ${JSON.stringify(origin.slice(0, 100))}`} may not use this server. Add the exact origin to allowedOrigins.`,
  );
}

function asHost(host: string): string {
  if (HOST.exec(host.toLowerCase())?.[1] === host.toLowerCase()) return host.toLowerCase();
  throw new TelltaleError(
    'invalid_option',
    `allowedHosts: ${JSON.stringify(host)} is not a host name without port, such as "telltale.example".`,
  );
}

function asOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  throw new TelltaleError(
    'invalid_option',
    `allowedOrigins: ${JSON.stringify(origin)} is not an exact origin, such as "https://app.example".`,
  );
}
