import type { TelltaleEvent } from '../protocol/index.ts';
import type { LogContent, LogView } from './log-content.ts';
import type { EventPage } from './requests.ts';
import type { Sink, Source } from './source.ts';
import { Store, type StoreOptions } from './store.ts';
import { walk } from './walk.ts';

/** Reads a page of a log's events after a cursor. */
export type ReadPage = (after: string | undefined) => Promise<EventPage>;

/** A run or a thread, live, and all of its events. */
export class LogStore<Data, View extends LogView<Data> = LogView<Data>> extends Store<View> {
  readonly #log: LogContent<Data>;
  /** Reads up to 1,000 events after a cursor from the server, or from the beginning. @throws {TelltaleError} */
  readonly page: ReadPage;

  /** @param describe what this kind of log adds to its view. */
  constructor(
    log: LogContent<Data>,
    describe: (view: LogView<Data>) => View,
    connect: (sink: Sink) => Source,
    page: ReadPage,
    options: StoreOptions,
  ) {
    super({ take: (item) => log.take(item), show: (state) => describe(log.show(state)) }, connect, options);
    this.#log = log;
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
  events(after?: string): AsyncGenerator<TelltaleEvent, void, void> {
    const { walkers, window } = this.#log;
    return walk(after, {
      join: (walker) => {
        walkers.add(walker);
        return this.use(() => walkers.delete(walker));
      },
      next: (seq) => {
        const next = window.after(seq);
        if (next?.length !== 0) return next;
        if (this.failure) throw this.failure;
        return this.hasEnded ? 'end' : next;
      },
      news: () => this.news(),
      page: this.page,
    });
  }
}
