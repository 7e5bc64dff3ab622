import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { Caller } from 'telltale/client';

type Principal = NonNullable<Caller['principal']>;

/** Who asks: whoever has a key or token, or nobody in particular. */
export interface Session {
  readonly token: string | undefined;
  /** Whom the token makes, to the server that took it. */
  readonly principal: Principal | undefined;
  /** Another one is somebody else's: nothing that was shown before stays. */
  readonly visit: number;
  /** How often the same person has signed in again, with a newer token: what is shown goes on. */
  readonly renewals: number;
}

/** Of this tab alone, and gone with it: a token in localStorage would outlive the person at the keyboard. */
const KEY = 'telltale.session';
const NOBODY = { token: undefined, principal: undefined } as const;
const listeners = new Set<() => void>();
let session: Session = { ...stored(), visit: 0, renewals: 0 };

function stored(): Pick<Session, 'token' | 'principal'> {
  try {
    const { token, principal } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}');
    return typeof token === 'string' ? { token, principal } : NOBODY;
  } catch {
    return NOBODY;
  }
}

function set(next: Session): void {
  session = next;
  const { token, principal } = next;
  try {
    if (token === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, JSON.stringify({ token, principal }));
  } catch {
    // Storage may be forbidden: a reload then asks again.
  }
  for (const listener of listeners) listener();
}

/** Keeps a token that the server took. */
export function signIn(token: string, principal: Principal): void {
  const { visit, renewals, principal: before } = session;
  const isSame = before?.userId === principal.userId && before.tenantId === principal.tenantId;
  set({ token, principal, ...(isSame ? { visit, renewals: renewals + 1 } : { visit: visit + 1, renewals: 0 }) });
}

export const signOut = (): void => set({ ...NOBODY, visit: session.visit + 1, renewals: 0 });

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const currentSession = (): Session => session;

export const useSession = (): Session => useSyncExternalStore(subscribe, currentSession);

/** Does something once the same person has signed in again: connects what was refused, from where it was. */
export function useRenewal(renew: () => void): void {
  const { renewals } = useSession();
  const done = useRef(renewals);
  useEffect(() => {
    if (done.current === renewals) return;
    done.current = renewals;
    renew();
  }, [renewals, renew]);
}
