import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { getSignedCookie, setSignedCookie } from 'hono/cookie';
import { randomId } from '../../protocol/index.ts';
import { principalOf } from '../access/index.ts';

const COOKIE = 'telltale-chat';
/** Of this process, as what is remembered of askers is. */
const SECRET = randomBytes(32);

/**
 * Who asks, where the same may ask again: the principal, or else the browser, by a cookie that only this server can have
 * made. Never an address: others are behind it, too. `undefined`: nobody that is known.
 */
export async function askerOf(c: Context): Promise<string | undefined> {
  const principal = principalOf(c);
  if (principal) return JSON.stringify([principal.tenantId ?? null, principal.userId]);
  return (await getSignedCookie(c, SECRET, COOKIE)) || undefined;
}

/** The same; a browser that is not known yet is from this answer on. */
export async function newAskerOf(c: Context): Promise<string> {
  const known = await askerOf(c);
  if (known !== undefined) return known;
  const asker = randomId(24);
  const secure = new URL(c.req.url).protocol === 'https:';
  await setSignedCookie(c, COOKIE, asker, SECRET, { httpOnly: true, sameSite: 'Strict', secure });
  return asker;
}

/** What a question is known by: no text of anybody is kept for it. */
export const keyOf = (asker: string, message: string): string =>
  createHash('sha256')
    .update(JSON.stringify([asker, message]))
    .digest('base64url');
