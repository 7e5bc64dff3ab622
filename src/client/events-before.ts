import { formatCursor, type TelltaleEvent } from '../protocol/index.ts';
import type { ReadPage } from './log-store.ts';
import type { EventPage } from './requests.ts';

/**
 * The events of a run or thread before one of it, oldest first, from the server: for a reader who scrolls back beyond
 * `view.events`. At most `limit`, unmerged; fewer where other runs of the thread were busy between; none at the beginning.
 *
 * @throws {TelltaleError} what the server says; `unreachable`.
 *
 * @example
 * const older = await eventsBefore(run, run.getSnapshot().events[0]);
 */
export async function eventsBefore(
  log: { readonly page: ReadPage },
  { epoch, seq, first = seq }: Pick<TelltaleEvent, 'epoch' | 'seq' | 'first'>,
  limit = 100,
): Promise<readonly TelltaleEvent[]> {
  for (let reach = limit; ; reach *= 4) {
    const after = Math.max(0, first - 1 - reach);
    const found: TelltaleEvent[] = [];
    let page: EventPage | undefined;
    do {
      page = await log.page(page?.cursor ?? formatCursor(epoch, after));
      found.push(...page.events.filter((event) => event.seq < first));
    } while (page.more && found.length > 0 && page.events.every((event) => event.seq < first - 1));
    if (found.length > 0 || after === 0) return found.slice(-limit);
  }
}
