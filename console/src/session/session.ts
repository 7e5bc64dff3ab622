import { useSyncExternalStore } from 'react';

/** Who asks: a key or token the reader signed in with, or nobody in particular. */
export interface Session {
  readonly token: string | undefined;
}

/** Of this tab alone, and gone with it: a token in localStorage would outlive the person at the keyboard. */
const KEY = 'telltale.token';
const listeners = new Set<() => void>();
let session: Session = { token: stored() };

function stored(): string | undefined {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
}

function set(token: string | undefined): void {
  session = { token };
  try {
    if (token === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Storage may be forbidden: a reload then asks again.
  }
  for (const listener of listeners) listener();
}

export const signIn = (token: string): void => set(token);
export const signOut = (): void => set(undefined);

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
const now = (): Session => session;

export const useSession = (): Session => useSyncExternalStore(subscribe, now);
