import { useEffect, useState, useSyncExternalStore } from 'react';
import { logTime } from '../log-time.ts';
import { untouched } from '../readable.ts';
import { useRunStore } from '../run-source.ts';
import type { OfRun } from './element.ts';

const TICK_MS = 1_000;

/** Renders every second while it runs, with what `read` says then; without output before the page is there (hydration). */
export function useTicking<T>(isRunning: boolean, read: () => T): T | undefined {
  const [ticks, tick] = useState(0);
  useEffect(() => {
    if (!isRunning) return;
    const next = (): void => tick((it) => it + 1);
    next();
    const timer = setInterval(next, TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  return isRunning && ticks > 0 ? read() : undefined;
}

/** The page is there: not on a server, nor in the first render in a browser, which has to be the same (hydration). */
export const useIsHere = (): boolean =>
  useSyncExternalStore(
    untouched,
    () => true,
    () => false,
  );

/**
 * For how many milliseconds something has been going on, by the log's time: the time of the newest event, and what has
 * passed here since it arrived. A clock here that is wrong by hours changes nothing; joined in a quiet moment it says too
 * little until the next event, never too much. It stands still while we are not connected: nobody knows then. In a replay
 * it is what it was at that moment.
 */
export function useElapsed(source: OfRun, startedAt: string | undefined): number | undefined {
  const { store } = useRunStore(source.runId, source);
  const read = (): number | undefined => store.moment?.();
  const still = useSyncExternalStore(store.moment ? store.subscribe : untouched, read, read);
  const [known, setKnown] = useState<{ readonly startedAt: string; readonly ms: number }>();
  useEffect(() => {
    if (startedAt === undefined || store.moment) return;
    const look = (): void => {
      const now = logTime(store);
      if (now === undefined) return;
      const ms = Math.max(0, now - Date.parse(startedAt));
      // Events arrive early and late by some milliseconds; time does not go back for that.
      setKnown((before) => (before?.startedAt === startedAt && before.ms >= ms ? before : { startedAt, ms }));
    };
    look();
    const timer = setInterval(look, TICK_MS);
    return () => clearInterval(timer);
  }, [store, startedAt]);
  if (still && startedAt) return Math.max(0, still - Date.parse(startedAt));
  return startedAt !== undefined && known?.startedAt === startedAt ? known.ms : undefined;
}
