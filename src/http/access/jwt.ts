import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { TelltaleError } from '../../protocol/index.ts';
import { isLoopback } from '../origin.ts';
import { issuerKeys } from './issuer-keys.ts';
import type { JwtOptions } from './options.ts';
import { checkPrincipal, isName, isScope, type Principal } from './principal.ts';
import { hasExpired, notValid } from './refusals.ts';

/** Seconds by which the clocks of issuer and server may differ. */
const TOLERANCE_S = 5;
/** What was verified is not verified again for so long: a signature costs 50 to 200 µs. */
const REMEMBER_MS = 60_000;
const REMEMBERED = 10_000;

const SYMMETRIC = ['HS256', 'HS384', 'HS512'];
const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];
const MORE_ASYMMETRIC = ['RS384', 'RS512', 'PS384', 'PS512', 'ES384', 'ES512'];

export type VerifyToken = (token: string) => Promise<Principal>;

/**
 * Verifies tokens by jose. Which algorithms there can be follows from the kind of key, so a public key is never taken for
 * a secret, and `none` is none of them.
 *
 * The function throws `unauthorized`, and `auth_unavailable` where the issuer's keys are not to be had.
 *
 * @throws {TelltaleError} `invalid_option`
 */
export function tokenVerifier(options: JwtOptions): VerifyToken {
  const { issuer, audience, principal: meant = principalIn } = options;
  for (const [name, value] of Object.entries({ issuer, audience })) {
    if (!value || typeof value !== 'string') throw invalid(`${name}: say what every token has to name there.`);
  }
  const algorithms = algorithmsOf(options);
  const key = keyOf(options);
  const rules = { issuer, audience, algorithms: [...algorithms], clockTolerance: TOLERANCE_S, requiredClaims: ['exp'] };
  const remembered = new Map<string, { readonly principal: Principal; readonly until: number }>();

  async function verify(token: string): Promise<Principal> {
    const { payload } = await jwtVerify(token, key, rules).catch(explain);
    const principal = meant(payload);
    if (!principal) throw notValid();
    // Both as jose reads them: seconds.
    const expiresAt = ((payload.exp ?? 0) + TOLERANCE_S) * 1000;
    const issuedAt = payload.iat === undefined ? {} : { issuedAt: payload.iat * 1000 };
    return checkPrincipal({ ...issuedAt, ...principal, expiresAt }, 'auth.jwt.principal');
  }

  return async (token) => {
    // The token itself is not kept.
    const id = createHash('sha256').update(token).digest('base64');
    const known = remembered.get(id);
    if (known && Date.now() < known.until && Date.now() < (known.principal.expiresAt ?? 0)) return known.principal;
    const principal = await verify(token);
    remembered.delete(id);
    remembered.set(id, { principal, until: Date.now() + REMEMBER_MS });
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value as string);
    return principal;
  };
}

function principalIn({ sub, tenant_id, scope, scp }: JWTPayload): Principal | undefined {
  if (!isName(sub) || (tenant_id !== undefined && !isName(tenant_id))) return undefined;
  const granted = [scope, scp].flat().flatMap((it) => (typeof it === 'string' ? it.split(' ') : []));
  const scopes = granted.map((it) => it.replace(/^telltale:/, '')).filter(isScope);
  return { userId: sub, ...(tenant_id !== undefined && { tenantId: tenant_id }), scopes: [...new Set(scopes)] };
}

function explain(error: unknown): never {
  if (error instanceof TelltaleError) throw error;
  if (error instanceof errors.JWTExpired) throw hasExpired();
  if (error instanceof errors.JOSEError || error instanceof TypeError) throw notValid();
  throw error;
}

function algorithmsOf({ secret, algorithms }: JwtOptions): readonly string[] {
  if (algorithms === undefined) return secret === undefined ? ASYMMETRIC : ['HS256'];
  const fitting = secret === undefined ? [...ASYMMETRIC, ...MORE_ASYMMETRIC] : SYMMETRIC;
  const wrong = algorithms.find((it) => !fitting.includes(it));
  if (wrong === undefined && algorithms.length > 0) return algorithms;
  const what = wrong === undefined ? 'name at least one' : `${JSON.stringify(wrong)} is not for this kind of key`;
  throw invalid(`algorithms: ${what}; of ${fitting.join(', ')}.`);
}

function keyOf({ jwksUrl, publicKey, secret }: JwtOptions): JWTVerifyGetKey {
  if ([jwksUrl, publicKey, secret].filter((it) => it !== undefined).length !== 1) {
    throw invalid('give exactly one of jwksUrl, publicKey and secret.');
  }
  if (secret !== undefined) {
    const bytes = Buffer.from(secret);
    // RFC 7518 section 3.2.
    if (bytes.length < 32) throw invalid('secret: it needs at least 32 bytes; "openssl rand -hex 32" makes one.');
    return async () => bytes;
  }
  if (publicKey !== undefined) {
    const key = publicKeyOf(publicKey);
    return async () => key;
  }
  const url = URL.parse(jwksUrl ?? '');
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (!url || !isSafe) throw invalid('jwksUrl: it has to be an https:// address (http:// on loopback alone).');
  return issuerKeys(url);
}

function publicKeyOf(pem: string): KeyObject {
  try {
    // Of a private key Node would make the public one: a server that only verifies has no business with it.
    if (pem.includes('BEGIN PUBLIC KEY')) return createPublicKey(pem);
  } catch {
    // What is wrong with a key is not told: it may be a secret in the wrong place.
  }
  throw invalid('publicKey: it is no public key as PEM, "-----BEGIN PUBLIC KEY-----".');
}

const invalid = (what: string): TelltaleError => new TelltaleError('invalid_option', `auth.jwt.${what}`);
