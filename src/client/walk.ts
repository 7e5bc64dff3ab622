import { parseCursor, type TelltaleEvent } from '../protocol/index.ts';
import type { EventPage } from './requests.ts';

/** What a walk needs of a store. */
export interface Walked {
  /** Keeps the store connected until the returned function is called. */
  use(): () => void;
  /**
   * The events after a number: none where none came yet, `undefined` where some are not here any more, `end` where none
   * will come.
   *
   * @throws {TelltaleError} why the walk cannot go on.
   */
  next(seq: number): readonly TelltaleEvent[] | 'end' | undefined;
  /** Resolves when something has happened. */
  news(): Promise<void>;
  /** Reads from the server what is not here. */
  page(after: string | undefined): Promise<EventPage>;
}

/** Every event after a cursor, once and in order: a position in the log, which reads where it cannot hear. */
export async function* walk(after: string | undefined, log: Walked): AsyncGenerator<TelltaleEvent, void, void> {
  const leave = log.use();
  try {
    let cursor = after;
    let seq = after === undefined ? 0 : (parseCursor(after)?.seq ?? 0);
    for (;;) {
      const news = log.news();
      let events = log.next(seq);
      if (events === 'end') return;
      if (!events) {
        const page = await log.page(cursor);
        cursor = page.cursor;
        events = page.events;
        seq = Math.max(seq, parseCursor(cursor)?.seq ?? 0, ...events.slice(-1).map((it) => it.seq));
      } else if (events.length === 0) {
        await news;
      }
      for (const event of events) {
        yield event;
        seq = Math.max(seq, event.seq);
      }
    }
  } finally {
    leave();
  }
}
