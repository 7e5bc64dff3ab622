import { formatCursor, parseCursor, type StreamReset, TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import type { EventPage } from './requests.ts';

/** Where a reader of `events()` is. */
export interface Walker {
  /** The last event it was given, and the cursor after it. */
  seq: number;
  cursor: string | undefined;
  /** What it has in its hands is still true. */
  isFresh: boolean;
  /** What it was given is not true any more. */
  voidedBy: StreamReset | undefined;
}

/** What a walk needs of a store. */
export interface Walked {
  /** Tells the walker of resets, until the returned function is called. */
  join(walker: Walker): () => unknown;
  /**
   * The events after a number: none where none came yet, `undefined` where some are not here any more, `end` where none
   * will come.
   *
   * @throws {TelltaleError} why none will come.
   */
  next(seq: number): readonly TelltaleEvent[] | 'end' | undefined;
  /** Resolves when something has happened. */
  news(): Promise<void>;
  /** Reads from the server what is not here. */
  page(after: string | undefined): Promise<EventPage>;
}

/** Every event after a cursor, once and in order: a position in the log, which reads where it cannot hear. */
export async function* walk(after: string | undefined, log: Walked): AsyncGenerator<TelltaleEvent, void, void> {
  const walker: Walker = { seq: seqOf(after), cursor: after, isFresh: true, voidedBy: undefined };
  const leave = log.join(walker);
  try {
    for (;;) {
      if (walker.voidedBy) {
        const { reason, shared } = walker.voidedBy;
        throw new TelltaleError('invalid_cursor', `What was read after event ${shared} is void.`, { reason, shared });
      }
      walker.isFresh = true;
      const news = log.news();
      const next = log.next(walker.seq);
      if (next === 'end') return;
      const page = next ? undefined : await log.page(walker.cursor);
      for (const event of next ?? page?.events ?? []) {
        if (!walker.isFresh) break;
        walker.seq = event.seq;
        walker.cursor = formatCursor(event.epoch, event.seq);
        yield event;
      }
      if (page && walker.isFresh) {
        walker.cursor = page.cursor;
        walker.seq = Math.max(walker.seq, seqOf(page.cursor));
      } else if (next?.length === 0) {
        await news;
      }
    }
  } finally {
    leave();
  }
}

const seqOf = (cursor: string | undefined): number => (cursor === undefined ? 0 : (parseCursor(cursor)?.seq ?? 0));
