import { type Permit, type Ticking, Wheel } from '../../hub/index.ts';
import type { RevokedReason } from '../../protocol/index.ts';
import type { Principal } from './principal.ts';
import { hasExpired, notValid } from './refusals.ts';
import type { Revocations } from './revocations.ts';
import type { Visit } from './visit.ts';

/** Decides anew; `undefined` is a yes. What it throws is decided when its viewer comes again. */
export type Decide = () => Promise<RevokedReason | undefined>;

/** All that is watched just now: each is decided anew once per period, by one timer, and at once when it is revoked. */
export class Permits {
  readonly #revocations: Revocations;
  readonly #checks: Wheel;
  readonly #watched = new Set<Issued>();

  constructor(revocations: Revocations, recheckMs: number) {
    this.#revocations = revocations;
    this.#checks = new Wheel(recheckMs);
  }

  /** @param decide where more than time and revocation can change the answer. */
  issue({ principal, at }: Visit, decide?: Decide): Issued {
    const isRevoked = () => this.#revocations.has(principal, at);
    return new Issued(principal, isRevoked, decide, (it) => {
      this.#watched.add(it);
      const slot = this.#checks.add(it);
      return () => {
        if (this.#watched.delete(it)) this.#checks.remove(it, slot);
      };
    });
  }

  /** Ends those whose principal matches. @returns how many that were. */
  end(matches: (principal: Principal) => boolean): number {
    const these = [...this.#watched].filter(({ principal }) => matches(principal));
    for (const it of these) it.end('revoked');
    return these.length;
  }
}

/** What one stream, poll or endless request is allowed, for as long as it is. */
export class Issued implements Permit, Ticking {
  readonly principal: Principal;
  readonly #isRevoked: () => boolean;
  readonly #decide: Decide | undefined;
  readonly #hold: (it: Issued) => () => void;
  #listener: ((reason: RevokedReason) => void) | undefined;
  #ended: RevokedReason | undefined;
  #deciding: Promise<boolean> | undefined;
  /** What was still to be answered at the last tick. */
  #pending: Promise<boolean> | undefined;

  constructor(
    principal: Principal,
    isRevoked: () => boolean,
    decide: Decide | undefined,
    hold: (it: Issued) => () => void,
  ) {
    this.principal = principal;
    this.#isRevoked = isRevoked;
    this.#decide = decide;
    this.#hold = hold;
  }

  mayGoOn(): boolean | Promise<boolean> {
    if (!this.#isOpen()) return false;
    return this.#decide ? this.#ask(this.#decide) : true;
  }

  /** @throws {TelltaleError} `unauthorized`, where it has ended. */
  async check(): Promise<void> {
    if (await this.mayGoOn()) return;
    this.checkKnown();
  }

  /** The same without asking anybody: for what comes too often, and is watched meanwhile. @throws {TelltaleError} */
  checkKnown(): void {
    if (this.#isOpen()) return;
    throw this.#ended === 'expired' ? hasExpired() : notValid();
  }

  watch(end: (reason: RevokedReason) => void): () => void {
    // It may have been revoked since it was found out who asks.
    if (this.#isRevoked()) this.#ended ??= 'revoked';
    if (this.#ended) {
      end(this.#ended);
      return () => {};
    }
    this.#listener = end;
    const release = this.#hold(this);
    return () => {
      this.#listener = undefined;
      release();
    };
  }

  tick(): void {
    // A function that hangs must not be a yes: what was asked a whole period ago, and was not answered, is a no.
    if (this.#deciding && this.#deciding === this.#pending) this.end('expired');
    else void this.mayGoOn();
    this.#pending = this.#deciding;
  }

  end(reason: RevokedReason): false {
    if (this.#ended) return false;
    this.#ended = reason;
    this.#listener?.(reason);
    return false;
  }

  #isOpen(): boolean {
    if (this.#ended) return false;
    if (this.#isRevoked()) return this.end('revoked');
    const { expiresAt } = this.principal;
    return expiresAt === undefined || Date.now() < expiresAt || this.end('expired');
  }

  /** One question at a time. Where nobody can answer now, whoever watches comes again, and is decided upon then. */
  #ask(decide: Decide): Promise<boolean> {
    this.#deciding ??= decide()
      .catch((): RevokedReason => 'expired')
      .then((reason) => (reason ? this.end(reason) : !this.#ended))
      .finally(() => {
        this.#deciding = undefined;
      });
    return this.#deciding;
  }
}
