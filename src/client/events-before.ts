import type { TelltaleEvent } from '../protocol/index.ts';
import type { ReadPage } from './log-store.ts';
import { part } from './part.ts';

/** A run or a thread. */
export interface Paged {
  readonly page: ReadPage;
}
export type Before = Pick<TelltaleEvent, 'epoch' | 'seq' | 'first'>;

/**
 * The events of a run or thread before one of it, oldest first, from the server: for a reader who scrolls back beyond
 * `view.events`. At most `limit`, unmerged; fewer where other runs of the thread were busy between; none at the beginning.
 *
 * @throws {TelltaleError} what the server says; `unreachable`.
 *
 * @example
 * const older = await eventsBefore(run, run.getSnapshot().events[0]);
 */
export const eventsBefore = async (log: Paged, event: Before, limit = 100): Promise<readonly TelltaleEvent[]> =>
  (await part(import('./older.ts'))).older(log, event, limit);
