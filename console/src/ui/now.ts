import { useSyncExternalStore } from 'react';
import { ago } from './format.ts';

const TICK_MS = 1_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  if (document.visibilityState === 'hidden') return;
  now = Date.now();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) {
    now = Date.now();
    timer = setInterval(tick, TICK_MS);
    document.addEventListener('visibilitychange', tick);
  }
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}
const still = (): (() => void) => () => {};

/** This machine's time, in milliseconds since 1970, each second. One timer for all who look; none while `isTicking` is false. */
export const useNow = (isTicking = true): number => useSyncExternalStore(isTicking ? subscribe : still, () => now);

/** How long ago a time of the log was. Renders when that reads otherwise: an hour's age changes once in an hour. */
export const useAgo = (time: string): string => useSyncExternalStore(subscribe, () => ago(time, now));
