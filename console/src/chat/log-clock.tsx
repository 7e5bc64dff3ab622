import { createContext, type ReactElement, type ReactNode, useContext, useMemo, useRef } from 'react';
import { useTelltale } from 'telltale/react';
import { duration } from '../ui/format.ts';
import { useNow } from '../ui/now.ts';

/** The time where the log is written, in milliseconds since 1970; `undefined` while nobody knows. */
type LogTime = () => number | undefined;
const LogClock = createContext<LogTime>(() => undefined);

/**
 * Gives what is below it the time of a thread's log: that of its newest event, and what has passed here since it arrived. A
 * clock here that is wrong changes nothing.
 */
export function LogClockOf({ threadId, children }: { threadId: string; children: ReactNode }): ReactElement {
  const client = useTelltale();
  const time = useMemo((): LogTime => {
    const thread = client.thread(threadId);
    return () => {
      const { connection, events, lastEventAt } = thread.getSnapshot();
      const newest = events.at(-1);
      if (connection !== 'live' || !newest || lastEventAt === undefined) return undefined;
      return Date.parse(newest.time) + Math.max(0, Date.now() - lastEventAt);
    };
  }, [client, threadId]);
  return <LogClock value={time}>{children}</LogClock>;
}

/** For how long something has been going on. Stands still while we are not connected: nobody knows then. */
export function useElapsed(since: string | undefined): number | undefined {
  const time = useContext(LogClock);
  useNow(since !== undefined);
  const known = useRef<{ readonly since: string; readonly ms: number }>(undefined);
  if (since === undefined) return undefined;
  const now = time();
  if (known.current?.since !== since) known.current = undefined;
  if (now !== undefined) {
    const ms = Math.max(0, now - Date.parse(since), known.current?.ms ?? 0);
    known.current = { since, ms };
  }
  return known.current?.ms;
}

export function Elapsed({ since }: { since: string }): ReactElement {
  const ms = useElapsed(since);
  return <span className="elapsed">{ms === undefined ? '' : duration(ms)}</span>;
}
