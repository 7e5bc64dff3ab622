import type { Principal, Scope } from './principal.ts';
import type { Owned } from './rules.ts';

/**
 * How a server finds out who asks. One of `jwt` and `authenticate`, `apiKeys`, or both; a key begins with `tt_`, so that
 * no request has two readings.
 *
 * @example
 * telltale({ auth: { jwt: { jwksUrl: 'https://id.example/jwks.json', issuer: 'https://id.example/', audience: 'telltale' } } });
 */
export interface AuthOptions {
  readonly jwt?: JwtOptions;
  /** Keys of producers, as `telltale key` writes them. */
  readonly apiKeys?: readonly ApiKey[];
  /**
   * Any other way: whoever asks, or `undefined`. It is asked again every 15 s for each open stream. Read headers only.
   * What it throws is a fault of the server (5xx), not a refusal.
   */
  readonly authenticate?: (request: Request) => Principal | undefined | Promise<Principal | undefined>;
  readonly authorize?: Authorize;
}

/** JSON Web Tokens, from `Authorization: Bearer`, or from a cookie. Exactly one of `jwksUrl`, `publicKey` and `secret`. */
export interface JwtOptions {
  /** Where the issuer publishes its keys: https, or a loopback address. Fetched when needed, kept, renewed. */
  readonly jwksUrl?: string;
  /** One key as PEM (SPKI: `-----BEGIN PUBLIC KEY-----`). */
  readonly publicKey?: string;
  /** A secret that the issuer shares, at least 32 bytes: for HS256, HS384 and HS512. */
  readonly secret?: string;
  /** What `iss` has to be. */
  readonly issuer: string;
  /** What `aud` has to be, or hold. */
  readonly audience: string;
  /** All that are accepted. By default HS256 with a secret, else RS256, PS256, ES256, EdDSA and Ed25519. */
  readonly algorithms?: readonly string[];
  /** Name of a cookie that browsers send, where there is no Authorization header. */
  readonly cookie?: string;
  /**
   * Whom the claims mean. By default `sub`, `tenant_id`, and the scopes in `scope` or `scp`, bare or as `telltale:read`.
   * `undefined`: nobody.
   */
  readonly principal?: (claims: Readonly<Record<string, unknown>>) => Principal | undefined;
}

/** A key of which only the hash is known here. */
export interface ApiKey {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly hash: string;
  readonly userId: string;
  readonly tenantId?: string;
  readonly scopes: readonly Scope[];
}

/** What somebody wants to do, and to what: one of `run` and `thread`. */
export interface AuthorizeRequest {
  readonly principal: Principal;
  readonly action: Scope;
  readonly run?: Owned & { readonly runId: string; readonly threadId: string; readonly agent: string };
  /** Whose its oldest run is. */
  readonly thread?: Owned & { readonly threadId: string };
  /** What the built-in rules say. */
  readonly allowed: boolean;
}

/**
 * Has the last word on every run and thread, in both directions: it may share one, or withhold it. Scopes are decided
 * before, and lists show what is one's own, whatever it says. Asked at connect, before each page of history, and every
 * 15 s for each open stream, so it should be fast.
 */
export type Authorize = (request: AuthorizeRequest) => boolean | Promise<boolean>;
