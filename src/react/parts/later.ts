import { useSyncExternalStore } from 'react';
import type { Readable } from '../readable.ts';

/** Code that did not come is asked for again after so many milliseconds, doubled each time up to so many. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/**
 * Code that comes after the page, asked for once, when something shows it first; `undefined` until it is here, and on a
 * server.
 */
export function arriving<T>(load: () => Promise<T>): Readable<T | undefined> {
  const listeners = new Set<() => void>();
  let code: T | undefined;
  let isAsked = false;
  let wait = RETRY_MS;

  const ask = (): void => {
    isAsked = true;
    load().then(
      (loaded) => {
        code = loaded;
        for (const listener of listeners) listener();
      },
      () => {
        setTimeout(ask, wait);
        wait = Math.min(MAX_RETRY_MS, wait * 2);
      },
    );
  };
  return {
    subscribe(listener) {
      listeners.add(listener);
      if (!isAsked) ask();
      return () => listeners.delete(listener);
    },
    getSnapshot: () => code,
    getServerSnapshot: () => undefined,
  };
}

/**
 * A hook that gives such code.
 *
 * @example
 * const useScroller = later(() => import('./scroller.ts'));
 */
export function later<T>(load: () => Promise<T>): () => T | undefined {
  const { subscribe, getSnapshot, getServerSnapshot } = arriving(load);
  return () => useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
}
