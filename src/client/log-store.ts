import type { TelltaleEvent } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { LogContent } from './log-content.ts';
import type { LogView } from './log-view.ts';
import type { EventPage } from './requests.ts';
import type { Sink, Source } from './source.ts';
import { Store, type StoreOptions } from './store.ts';

/** Reads a page of a log's events after a cursor. */
export type ReadPage = (after: string | undefined) => Promise<EventPage>;

/** A run or a thread, live, and all of its events. */
export class LogStore<Data, View extends LogView<Data> = LogView<Data>> extends Store<View, LogContent<Data, View>> {
  /** Reads up to 1,000 events after a cursor from the server, or from the beginning. @throws {TelltaleError} */
  readonly page: ReadPage;

  constructor(
    before: (state: ConnectionState) => View,
    load: () => Promise<LogContent<Data, View>>,
    connect: (sink: Sink) => Source,
    page: ReadPage,
    options: StoreOptions,
  ) {
    super(before, load, connect, options);
    this.page = page;
  }

  /**
   * Every event of the log, from its beginning or after a cursor, until it ends: each once and in order, at the pace of
   * who asks. What is no longer in `view.events` is read from the server page by page, so that a slow reader holds up
   * nobody and costs no memory. Connected meanwhile.
   *
   * @throws {TelltaleError} `invalid_cursor` where what was read turned out void (with `reason` and `shared`); what
   * closed the connection.
   *
   * @example
   * for await (const event of client.run('r1').events()) console.log(event.type);
   */
  async *events(after?: string): AsyncGenerator<TelltaleEvent, void, void> {
    const leave = this.use();
    try {
      const log = await this.#log();
      const hasEnded = (): boolean => {
        if (this.failure) throw this.failure;
        return this.hasEnded;
      };
      yield* log.walk(after, { hasEnded, news: () => this.news(), page: this.page });
    } finally {
      leave();
    }
  }

  /** Where it cannot be loaded, that is tried again with the connection. */
  async #log(): Promise<LogContent<Data, View>> {
    for (;;) {
      const news = this.news();
      try {
        return await this.content();
      } catch (error) {
        if (this.hasEnded || this.failure) throw this.failure ?? error;
      }
      await news;
    }
  }
}
