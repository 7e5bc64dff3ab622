import type { RunView } from '../client/index.ts';
import type { Readable } from './readable.ts';

/**
 * The time where the log is written, in milliseconds since 1970: the time of the newest event, and what has passed here
 * since it arrived. Behind, never before it, where a quiet run was joined. Nobody knows while we are not connected.
 */
export function logTime(store: Readable<RunView>): number | undefined {
  const { connection, events, lastEventAt } = store.getSnapshot();
  const newest = events.at(-1);
  if (connection !== 'live' || !newest || lastEventAt === undefined) return undefined;
  return Date.parse(newest.time) + Math.max(0, Date.now() - lastEventAt);
}
