import type { TelltaleError, TelltaleEvent } from '../protocol/index.ts';
import { type ConnectionPhase, type ConnectionState, IDLE } from './connection.ts';
import { Flush } from './flush.ts';
import type { Fold } from './fold.ts';
import type { EventPage } from './requests.ts';
import type { Followed, Sink, Source } from './source.ts';
import { type Walker, walk } from './walk.ts';
import { EventWindow } from './window.ts';

/** What a store shows. A new object whenever anything in it changed, at most once a frame; the same one until then. */
export interface StoreView<Data> {
  /** The last good fold. Once there is one it stays: reconnecting or starting over never takes it away. */
  readonly data: Data | undefined;
  /** The newest events, as frames brought them (`deltasOf` takes merged ones apart). All of them: `events()`. */
  readonly events: readonly TelltaleEvent[];
  readonly connection: ConnectionPhase;
  /** Why it is not connected. With `connection: 'closed'` it stays so until `reconnect`. */
  readonly error: TelltaleError | undefined;
  /** Attempts that failed since the last progress, and when the next one comes, in milliseconds since 1970. */
  readonly attempt: number;
  readonly retryAt: number | undefined;
  /** Number of the last event; 0 before the first. */
  readonly lastSeq: number;
  /** When the last event arrived here, by this machine's clock, in milliseconds since 1970. */
  readonly lastEventAt: number | undefined;
  /** The newest number the thread had when the server was last connected: how far there is to catch up. */
  readonly latest: number;
  /** How often what was shown turned out void and was folded anew (`stream.reset`). */
  readonly resets: number;
}

export type Listener = () => void;

/** A store keeps its connection so long after its last user left: one that comes back at once finds it open. */
const GRACE_MS = 1_000;

export interface StoreOptions {
  /** How many events `view.events` holds. */
  readonly window: number;
  /** Reads events of the log after a cursor. */
  readonly page: (after: string | undefined) => Promise<EventPage>;
  /** Told of what a listener or handler threw. */
  readonly onError: (error: unknown) => void;
  /** Told when the store gets its first user, and when its last one has left and its connection is closed. */
  readonly onUse: () => void;
  readonly onIdle: () => void;
}

/**
 * A log as people see it: one source, folded, shown to any number of users. Connected while it has users. Made for
 * React's `useSyncExternalStore`, and for anything else.
 */
export class Store<Data, View extends StoreView<Data> = StoreView<Data>> {
  readonly #fold: Fold<Data>;
  readonly #options: StoreOptions;
  readonly #source: Source;
  readonly #window: EventWindow;
  readonly #flush = new Flush(() => this.#show());
  readonly #listeners = new Set<Listener>();
  readonly #handlers = new Set<(item: Followed) => void>();
  readonly #walkers = new Set<Walker>();
  readonly #initial: View;
  #view: View;
  #state: ConnectionState = IDLE;
  #users = 0;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #data: Data | undefined;
  #lastSeq = 0;
  #lastEventAt: number | undefined;
  #latest = 0;
  #resets = 0;
  #isClosed = false;
  #news = Promise.withResolvers<void>();
  /** What was shown is void; what replaces it is not complete yet. */
  #refolding = false;

  /** @param known the number up to which `fold` holds the log already. */
  constructor(fold: Fold<Data>, connect: (sink: Sink) => Source, options: StoreOptions, known = 0) {
    this.#fold = fold;
    this.#options = options;
    this.#window = new EventWindow(options.window);
    this.#window.clear(known);
    this.#lastSeq = known;
    this.#data = fold.show();
    this.#source = connect({
      take: (items) => this.#take(items),
      connection: (state) => {
        this.#state = state;
        this.#tell();
      },
    });
    this.#view = this.#initial = this.describe(this.#base());
  }

  /** Calls `listener` after each new view, until the returned function is called. Connected meanwhile. */
  readonly subscribe = (listener: Listener): (() => void) => {
    // A listener that subscribes twice is called twice, and leaves once with each.
    const own = (): void => listener();
    this.#listeners.add(own);
    const leave = this.use();
    return () => {
      this.#listeners.delete(own);
      leave();
    };
  };

  /** The view of the last flush. */
  readonly getSnapshot = (): View => this.#view;

  /** The view before anything came: what a server renders, and a browser hydrates. */
  readonly getServerSnapshot = (): View => this.#initial;

  /**
   * Calls `handler` with everything of a kind, at once and in order, from now on. Connected meanwhile. What it throws goes
   * to `onError`; the others are called all the same.
   *
   * @returns what ends it.
   */
  on<K extends Followed['kind']>(kind: K, handler: (item: Extract<Followed, { kind: K }>) => void): () => void {
    const own = (item: Followed): void => {
      if (item.kind === kind) handler(item as Extract<Followed, { kind: K }>);
    };
    this.#handlers.add(own);
    const leave = this.use();
    return () => {
      this.#handlers.delete(own);
      leave();
    };
  }

  /** Comes back now: out of a wait, and after it had given up. */
  reconnect(): void {
    this.#source.reconnect();
  }

  /** Keeps it connected until the returned function is called. */
  use(): () => void {
    if (this.#users++ === 0) {
      clearTimeout(this.#grace);
      this.#options.onUse();
      if (!this.#hasEnded && !this.#isClosed) this.#source.open();
    }
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      if (--this.#users > 0) return;
      if (this.#hasEnded) this.#options.onIdle();
      else this.#grace = setTimeout(() => this.rest(), GRACE_MS);
    };
  }

  /** Lets go of the connection; used again it goes on from there. */
  rest(): void {
    clearTimeout(this.#grace);
    if (!this.#hasEnded) this.#source.close();
    this.#flush.now();
    this.#options.onIdle();
  }

  /** Lets go of the connection for good: iterators end. */
  close(): void {
    this.#isClosed = true;
    this.rest();
    this.#tell();
    this.#flush.now();
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
    return walk(after, {
      join: (walker) => {
        this.#walkers.add(walker);
        const leave = this.use();
        return () => {
          this.#walkers.delete(walker);
          leave();
        };
      },
      next: (seq) => this.#next(seq),
      news: () => this.#news.promise,
      page: (cursor) => this.#options.page(cursor),
    });
  }

  #next(seq: number): readonly TelltaleEvent[] | 'end' | undefined {
    const next = this.#window.after(seq);
    if (next?.length !== 0) return next;
    if (this.#state.phase === 'closed' && this.#state.error) throw this.#state.error;
    return this.#hasEnded || this.#isClosed ? 'end' : next;
  }

  /** What a kind of store adds to its view. */
  protected describe(base: StoreView<Data>): View {
    return base as View;
  }

  get #hasEnded(): boolean {
    return this.#state.phase === 'closed' && !this.#state.error;
  }

  #take(items: readonly Followed[]): void {
    for (const item of items) {
      this.#takeOne(item);
      for (const handler of this.#handlers) this.#call(() => handler(item));
    }
    this.#tell();
  }

  #tell(): void {
    this.#flush.request();
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #takeOne(item: Followed): void {
    switch (item.kind) {
      case 'event':
        this.#add(item.event);
        this.#window.add(item.event, item.size);
        this.#lastSeq = item.event.seq;
        this.#lastEventAt = Date.now();
        return;
      case 'snapshot':
        this.#fold.load(item.snapshot);
        this.#window.clear(item.snapshot.seq);
        this.#lastSeq = item.snapshot.seq;
        this.#refolding = false;
        return;
      case 'reset':
        this.#startOver();
        this.#resets++;
        for (const walker of this.#walkers) {
          walker.isFresh = false;
          if (walker.seq > item.reset.shared) walker.voidedBy = item.reset;
        }
        return;
      case 'caught-up':
        this.#refolding = false;
        return;
      case 'connected':
        this.#latest = item.hello.latest;
    }
  }

  /** @throws what the fold says to an event that makes no sense. */
  #add(event: TelltaleEvent): void {
    try {
      this.#fold.add(event);
    } catch (error) {
      this.#startOver();
      throw error;
    }
  }

  /** Whatever follows begins at the beginning of the log; until it is here, what was shown last stays. */
  #startOver(): void {
    this.#fold.clear();
    this.#window.clear();
    this.#refolding = true;
  }

  #show(): void {
    if (this.#hasEnded) this.#refolding = false;
    if (!this.#refolding) this.#data = this.#fold.show() ?? this.#data;
    this.#view = this.describe(this.#base());
    for (const listener of this.#listeners) this.#call(listener);
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #base(): StoreView<Data> {
    const { phase: connection, error, attempt, retryAt } = this.#state;
    return {
      data: this.#data,
      events: this.#window.events,
      connection,
      error,
      attempt,
      retryAt,
      lastSeq: this.#lastSeq,
      lastEventAt: this.#lastEventAt,
      latest: Math.max(this.#latest, this.#lastSeq),
      resets: this.#resets,
    };
  }
}
