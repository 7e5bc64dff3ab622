import type { Context } from 'hono';
import { TelltaleError } from '../../protocol/index.ts';
import { notValid } from './refusals.ts';

/** A token as it came; what it is worth is still to be seen. */
export interface Credential {
  readonly token: string;
  readonly byCookie: boolean;
}

/** More is no token of ours, and is looked at no further. */
const MAX_TOKEN = 8192;
/** RFC 6750 section 2.1; one space, one token. */
const BEARER = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i;
/** Names under which clients put secrets into addresses. */
const SECRET_NAMES = /^(?:access_?token|auth|auth_?token|authorization|api_?key|bearer|id_?token|jwt|key|token)$/i;

/**
 * The one credential of a request. An Authorization header decides alone, whatever the cookies say.
 *
 * @param isOurs nobody else reads this header: one that is no `Bearer <token>` is refused.

 * @throws {TelltaleError} `unauthorized` for a header that is not `Bearer <token>`; `invalid_request` for a cookie or
 * header that comes twice: two readers could take different ones.
 */
export function readCredential(c: Context, cookie: string | undefined, isOurs: boolean): Credential | undefined {
  const header = c.req.header('authorization');
  if (header !== undefined) {
    // Node and fetch join what comes twice; no token has a comma.
    if (/,\s*bearer\s/i.test(header)) throw twice('Authorization header');
    const token = BEARER.exec(header)?.[1];
    if (token !== undefined && token.length <= MAX_TOKEN) return { token, byCookie: false };
    if (isOurs) throw notValid();
    return undefined;
  }
  if (cookie === undefined) return undefined;
  const values = cookiesNamed(cookie, c.req.header('cookie') ?? '');
  if (values.length > 1) throw twice(`cookie ${cookie}`);
  const [token] = values;
  if (token === undefined || token === '') return undefined;
  if (token.length > MAX_TOKEN) throw notValid();
  return { token, byCookie: true };
}

/**
 * Addresses are kept in logs, histories and Referer headers; no secret may be in one.
 *
 * @throws {TelltaleError} `invalid_request`, which does not repeat it.
 */
export function checkAddress(c: Context): void {
  const name = Object.keys(c.req.query()).find((it) => SECRET_NAMES.test(it));
  if (name === undefined) return;
  const detail = `query.${name}: a token or key never goes into the address, where logs keep it. Send "Authorization: Bearer <token>", and replace this one.`;
  throw new TelltaleError('invalid_request', detail);
}

function cookiesNamed(name: string, header: string): string[] {
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${name}=`)).map((pair) => pair.slice(name.length + 1));
}

const twice = (what: string): TelltaleError =>
  new TelltaleError('invalid_request', `The ${what} is there twice. Send it once.`);
