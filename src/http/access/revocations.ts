import type { Principal } from './principal.ts';

/** Whose access is taken back: of a user, by id, in whatever tenant, or of everybody of whom it is true. */
export type Revoked = string | ((principal: Principal) => boolean);

/** What was taken back since this process began. It is remembered for as long as the process lasts. */
export class Revocations {
  readonly #users = new Map<string, number>();
  readonly #others: { readonly matches: (principal: Principal) => boolean; readonly at: number }[] = [];

  add(who: Revoked): void {
    const at = Date.now();
    if (typeof who === 'string') this.#users.set(who, at);
    else this.#others.push({ matches: who, at });
  }

  /** Whether it was taken back at that time (in milliseconds since 1970) or later. */
  has(principal: Principal, since: number): boolean {
    if ((this.#users.get(principal.userId) ?? Number.NEGATIVE_INFINITY) >= since) return true;
    return this.#others.some(({ matches, at }) => at >= since && matches(principal));
  }
}

export const matcherOf = (who: Revoked): ((principal: Principal) => boolean) =>
  typeof who === 'string' ? ({ userId }) => userId === who : who;
