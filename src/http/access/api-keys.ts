/** Keys for producers. A server knows their hashes only: whoever reads its settings has no key. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { TelltaleError } from '../../protocol/index.ts';
import type { ApiKey } from './options.ts';
import { isName, isScope, type Principal, SCOPES } from './principal.ts';

/** So that leaked ones are found by scanners, and no token is taken for a key. */
const PREFIX = 'tt_';
const HASH = /^sha256:([0-9a-f]{64})$/;
const FIELDS = new Set(['hash', 'userId', 'tenantId', 'scopes']);

/** A new key of 256 random bits, and what a server has to know of it. */
export function makeKey(about: Omit<ApiKey, 'hash'>): { readonly key: string; readonly entry: ApiKey } {
  const key = PREFIX + randomBytes(32).toString('base64url');
  return { key, entry: { hash: `sha256:${digest(key).toString('hex')}`, ...about } };
}

export const isKey = (token: string): boolean => token.startsWith(PREFIX);

/** The keys that a server takes. */
export class ApiKeys {
  readonly #keys: readonly { readonly digest: Buffer; readonly principal: Principal }[];

  /** @throws {TelltaleError} `invalid_option`, naming the entry; never its content. */
  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map((key, i) => toEntry(key, `auth.apiKeys[${i}]`));
  }

  /** Takes as long whichever key it is, or whether it is none. */
  find(key: string): Principal | undefined {
    const presented = digest(key);
    let found: Principal | undefined;
    for (const { digest, principal } of this.#keys) if (timingSafeEqual(digest, presented)) found = principal;
    return found;
  }
}

function toEntry(key: ApiKey, at: string) {
  const { hash, userId, tenantId, scopes } = Object(key) as ApiKey;
  const hex = typeof hash === 'string' ? HASH.exec(hash)?.[1] : undefined;
  const isWhole = hex !== undefined && isName(userId) && (tenantId === undefined || isName(tenantId));
  const isKnown = Object.keys(Object(key)).every((field) => FIELDS.has(field));
  if (isWhole && isKnown && Array.isArray(scopes) && scopes.every(isScope)) {
    return {
      digest: Buffer.from(hex, 'hex'),
      principal: { userId, ...(tenantId !== undefined && { tenantId }), scopes },
    };
  }
  const form = `{"hash": "sha256:…", "userId": "…", "tenantId"?: "…", "scopes": [${SCOPES.join(', ')}]}`;
  throw new TelltaleError('invalid_option', `${at} is not as "telltale key" writes it: ${form}.`);
}

const digest = (key: string): Buffer => createHash('sha256').update(key).digest();
