import { formatCursor, type TelltaleEvent } from '../protocol/index.ts';
import type { Before, Paged } from './events-before.ts';
import type { EventPage } from './requests.ts';

/** As `eventsBefore`. */
export async function older(
  log: Paged,
  { epoch, seq, first = seq }: Before,
  limit: number,
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
