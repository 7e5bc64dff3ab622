import type { Client } from 'telltale/client';
import { formatCursor, TelltaleError, type TelltaleEvent } from 'telltale/protocol';

/** What frames are looked for: events of these groups (`tool`, `run`, …), and with this text in them. */
export interface Wanted {
  readonly group: string | undefined;
  readonly text: string;
}

export interface Matches {
  /** The numbers of the events that match, as far as was looked. */
  readonly seqs: readonly number[];
  /** Looked through up to this number. */
  readonly through: number;
  readonly error: TelltaleError | undefined;
}

export const groupOf = (type: string): string => type.slice(0, type.indexOf('.') >>> 0);

export function matches(event: TelltaleEvent, { group, text }: Wanted): boolean {
  if (group !== undefined && groupOf(event.type) !== group) return false;
  return text === '' || JSON.stringify(event).toLowerCase().includes(text);
}

/**
 * Looks through all events of a run, from the first to the newest, a thousand at a time. Of what matches only the numbers
 * are kept.
 *
 * @param tell called after each page.
 * @returns looks on, up to `latest`, where it had stopped.
 */
export function searching(
  client: Pick<Client, 'events'>,
  { runId, epoch, first }: { readonly runId: string; readonly epoch: string; readonly first: number },
  wanted: Wanted,
  tell: (found: Matches) => void,
): { upTo(latest: number): void; stop(): void } {
  const seqs: number[] = [];
  let through = first - 1;
  let target = through;
  let isLooking = false;
  let isStopped = false;

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    try {
      while (through < target && !isStopped) {
        const { events } = await client.events(runId, { after: formatCursor(epoch, through), limit: 1_000 });
        if (isStopped) return;
        for (const event of events) if (matches(event, wanted)) seqs.push(event.seq);
        through = events.at(-1)?.seq ?? target;
        tell({ seqs: [...seqs], through, error: undefined });
      }
    } catch (error) {
      if (!isStopped) tell({ seqs: [...seqs], through, error: TelltaleError.from(error) });
    } finally {
      isLooking = false;
    }
  }
  return {
    upTo(latest) {
      target = latest;
      void look();
    },
    stop() {
      isStopped = true;
    },
  };
}
