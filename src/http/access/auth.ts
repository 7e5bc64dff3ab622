import type { Context } from 'hono';
import { TelltaleError } from '../../protocol/index.ts';
import { ApiKeys, isKey } from './api-keys.ts';
import { checkAddress, readCredential } from './credential.ts';
import { tokenVerifier, type VerifyToken } from './jwt.ts';
import type { AuthOptions, Authorize } from './options.ts';
import { Permits } from './permits.ts';
import { checkPrincipal, type Principal } from './principal.ts';
import { hasExpired, noCredential, notValid } from './refusals.ts';
import { matcherOf, Revocations, type Revoked } from './revocations.ts';
import type { Visit } from './visit.ts';

/** Open streams are decided anew after so many milliseconds. */
const RECHECK_MS = 15_000;

const FIELDS = new Set(['jwt', 'apiKeys', 'authenticate', 'authorize']);

/** Finds out who asks, for all servers of one Telltale, and takes it back. */
export class Auth {
  readonly permits: Permits;
  readonly authorize: Authorize | undefined;
  /** Whether browsers may be known by a cookie. */
  readonly usesCookie: boolean;
  readonly #cookie: string | undefined;
  readonly #verify: VerifyToken | undefined;
  readonly #keys: ApiKeys | undefined;
  readonly #own: AuthOptions['authenticate'];
  readonly #revocations = new Revocations();

  /** @throws {TelltaleError} `invalid_option` */
  constructor(options: AuthOptions, recheckMs: number = RECHECK_MS) {
    const { jwt, apiKeys, authenticate, authorize } = options;
    const unknown = Object.keys(options).find((it) => !FIELDS.has(it));
    if (unknown !== undefined) throw invalid(`there is no "${unknown}": ${[...FIELDS].join(', ')}.`);
    if (!jwt && !apiKeys && !authenticate)
      throw invalid('say how it is found out who asks: jwt, apiKeys or authenticate.');
    if (jwt && authenticate) throw invalid('jwt and authenticate both read the same header: give one of them.');
    this.#verify = jwt && tokenVerifier(jwt);
    this.#cookie = jwt?.cookie;
    this.#keys = apiKeys && new ApiKeys(apiKeys);
    this.#own = authenticate;
    this.usesCookie = jwt?.cookie !== undefined || authenticate !== undefined;
    this.authorize = authorize;
    this.permits = new Permits(this.#revocations, recheckMs);
  }

  /**
   * Who makes this request.
   *
   * @throws {TelltaleError} `unauthorized`; `invalid_request` for a credential that is where none may be, or twice;
   * `auth_unavailable`; what an own `authenticate` throws.
   */
  async visit(c: Context): Promise<Visit> {
    checkAddress(c);
    const at = Date.now();
    const credential = readCredential(c, this.#cookie, !this.#own);
    if (credential && this.#keys && isKey(credential.token)) return this.#known(this.#keys.find(credential.token), at);
    if (this.#own) return this.#askOwn(this.#own, c.req.raw, at);
    if (!credential) throw noCredential();
    return this.#known(await this.#verify?.(credential.token), at, credential.byCookie);
  }

  /** Ends what is open, and refuses from now on what was issued before. @returns how many streams were ended. */
  revoke(who: Revoked): number {
    this.#revocations.add(who);
    return this.permits.end(matcherOf(who));
  }

  #known(principal: Principal | undefined, at: number, byCookie = false): Visit {
    if (!principal) throw notValid();
    this.#checkSince(principal, principal.issuedAt ?? 0, at);
    return { principal, at, byCookie, recheck: () => this.#checkSince(principal, at) };
  }

  /** @throws {TelltaleError} `unauthorized` where it has expired, or was taken back at that time or later. */
  #checkSince(principal: Principal, since: number, now = Date.now()): void {
    if (principal.expiresAt !== undefined && principal.expiresAt <= now) throw hasExpired();
    if (this.#revocations.has(principal, since)) throw notValid();
  }

  async #askOwn(own: NonNullable<AuthOptions['authenticate']>, request: Request, at: number): Promise<Visit> {
    const ask = async (): Promise<Principal | undefined> => {
      const principal = await own(request);
      return principal && checkPrincipal(principal, 'auth.authenticate');
    };
    const principal = await ask();
    if (!principal) throw request.headers.has('authorization') ? notValid() : noCredential();
    // Without a time, it is the function that refuses who was revoked.
    this.#checkSince(principal, principal.issuedAt ?? at, at);
    return {
      principal,
      at,
      again: ask,
      recheck: () => this.#checkSince(principal, at),
      byCookie: !request.headers.has('authorization') && request.headers.has('cookie'),
    };
  }
}

const invalid = (what: string): TelltaleError => new TelltaleError('invalid_option', `auth: ${what}`);
