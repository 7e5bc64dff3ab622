import { useSyncExternalStore } from 'react';
import type { Readable } from '../readable.ts';

/** Code that did not come is asked for again after so many milliseconds, doubled each time up to so many. */
const RETRY_MS = 500;
const MAX_RETRY_MS = 30_000;

/** Code that comes after the page; `undefined` until it is here. */
interface Arriving<T> extends Pick<Readable<T | undefined>, 'subscribe' | 'getSnapshot'> {
  /** Asks for it, and resolves when it is here. */
  arrival(): Promise<void>;
}

/** Code that is asked for once, when something shows it first. */
export function arriving<T>(load: () => Promise<T>): Arriving<T> {
  const listeners = new Set<() => void>();
  let code: T | undefined;
  let coming: Promise<void> | undefined;

  async function ask(): Promise<void> {
    for (let wait = RETRY_MS; !code; wait = Math.min(MAX_RETRY_MS, wait * 2)) {
      try {
        code = await load();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    for (const listener of listeners) listener();
  }
  const arrival = (): Promise<void> => {
    coming ??= ask();
    return coming;
  };
  return {
    subscribe(listener) {
      listeners.add(listener);
      void arrival();
      return () => listeners.delete(listener);
    },
    getSnapshot: () => code,
    arrival,
  };
}

/**
 * A hook that gives such code; `undefined` until it is here, and on a server.
 *
 * @example
 * const useScroller = later(() => import('./scroller.ts'));
 */
export function later<T>(load: () => Promise<T>): () => T | undefined {
  const { subscribe, getSnapshot } = arriving(load);
  return () => useSyncExternalStore(subscribe, getSnapshot, nothing);
}

const nothing = (): undefined => undefined;

/**
 * The same for code that a server renders with, too: there it is asked for at once. Where something of the run was rendered
 * by a server, the browser takes that over when the code is here, as with Suspense, and what was rendered stays meanwhile.
 *
 * @example
 * const useStory = rendering(() => import('./story.ts'));
 * const story = useStory(store);
 */
export function rendering<T>(load: () => Promise<T>): (of: Readable<{ readonly data: unknown }>) => T | undefined {
  const { subscribe, getSnapshot, arrival } = arriving(load);
  if (typeof document === 'undefined') void arrival();
  return (of) =>
    // React asks for the last of these on a server and where it takes over from one, and nowhere else.
    useSyncExternalStore(subscribe, getSnapshot, () => {
      const code = getSnapshot();
      if (!code && of.getServerSnapshot().data) throw arrival();
      return code;
    });
}
