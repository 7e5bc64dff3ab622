import { readFileSync } from 'node:fs';
import type { ApiKey, AuthOptions } from '../index.ts';
import { usageError } from './command.ts';

/** The flags of `telltale serve` about who may use it, each with its environment variable, which containers set. */
export const AUTH_FLAGS = {
  'jwks-url': 'TELLTALE_JWKS_URL',
  issuer: 'TELLTALE_ISSUER',
  audience: 'TELLTALE_AUDIENCE',
  algorithms: 'TELLTALE_ALGORITHMS',
  cookie: 'TELLTALE_COOKIE',
  keys: 'TELLTALE_KEYS',
  'allow-host': 'TELLTALE_ALLOW_HOST',
  'allow-origin': 'TELLTALE_ALLOW_ORIGIN',
} as const;

type Flag = keyof typeof AUTH_FLAGS;
type Environment = Readonly<Record<string, string | undefined>>;

export const AUTH_HELP = `  --jwks-url <url>      where the keys are that tokens (JWT) are signed with; with it:
  --issuer <text>       what "iss" of every token has to be
  --audience <text>     what "aud" has to be, or hold
  --algorithms <names>  that are accepted (default RS256,PS256,ES256,EdDSA,Ed25519)
  --cookie <name>       a cookie in which browsers send the token
  --keys <file>         API keys: a JSON list of what "telltale key" prints
  --allow-host <names>  under which the server is reached, beside localhost
  --allow-origin <urls> of other pages that may use it
Where one of these is not given, its environment variable counts: TELLTALE_JWKS_URL, TELLTALE_ISSUER, TELLTALE_AUDIENCE,
TELLTALE_ALGORITHMS, TELLTALE_COOKIE, TELLTALE_KEYS, TELLTALE_ALLOW_HOST, TELLTALE_ALLOW_ORIGIN. Commas separate lists.
`;

export interface ServerAccess {
  readonly auth?: AuthOptions;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}

/** What flags and environment say together. @throws {TelltaleError} `invalid_option` for half of a set-up. */
export function accessOf(flags: { readonly [F in Flag]?: string | undefined }, env: Environment): ServerAccess {
  const given = (flag: Flag): string | undefined => flags[flag] || env[AUTH_FLAGS[flag]] || undefined;
  const list = (flag: Flag): string[] =>
    given(flag)
      ?.split(',')
      .map((it) => it.trim())
      .filter(Boolean) ?? [];
  const named = (flag: Flag): string => `--${flag} (${AUTH_FLAGS[flag]})`;

  const jwksUrl = given('jwks-url');
  const [issuer, audience, cookie] = [given('issuer'), given('audience'), given('cookie')];
  if (jwksUrl === undefined) {
    const stray = (['issuer', 'audience', 'algorithms', 'cookie'] as const).find((flag) => given(flag) !== undefined);
    if (stray) throw usageError(`${named(stray)} is about tokens, and ${named('jwks-url')} is missing.`);
  } else if (issuer === undefined || audience === undefined) {
    const missing = issuer === undefined ? 'issuer' : 'audience';
    throw usageError(`${named(missing)} is missing: without it, tokens that were meant for others would be taken.`);
  }
  const jwt = jwksUrl !== undefined && {
    ...{ jwksUrl, issuer: issuer ?? '', audience: audience ?? '' },
    ...(given('algorithms') !== undefined && { algorithms: list('algorithms') }),
    ...(cookie !== undefined && { cookie }),
  };
  const file = given('keys');
  const auth = { ...(jwt && { jwt }), ...(file !== undefined && { apiKeys: readKeys(file) }) };
  return {
    ...(Object.keys(auth).length > 0 && { auth }),
    allowedHosts: list('allow-host'),
    allowedOrigins: list('allow-origin'),
  };
}

function readKeys(file: string): ApiKey[] {
  let keys: unknown;
  try {
    keys = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    // What a parser says of a file of keys may repeat some of it.
    const why = error instanceof SyntaxError ? 'it is not valid JSON' : (error as Error).message;
    throw usageError(`The keys in ${file} cannot be read: ${why}.`);
  }
  if (Array.isArray(keys) && keys.length > 0) return keys;
  throw usageError(`${file} has to be a JSON list of what "telltale key" prints: [{"hash": …}, …].`);
}
