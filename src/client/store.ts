import type { TelltaleError } from '../protocol/index.ts';
import { type ConnectionPhase, type ConnectionState, IDLE, rests } from './connection-state.ts';
import { Flush } from './flush.ts';
import { part } from './part.ts';
import type { Followed, Sink, Source } from './source.ts';

/** The part of a view that is about the connection, never about what is watched. */
export interface ConnectionView {
  readonly connection: ConnectionPhase;
  /** Why it is not connected. With `connection: 'closed'` it stays so until `reconnect`. */
  readonly error: TelltaleError | undefined;
  /** Attempts that failed since the last progress, and when the next one comes, in milliseconds since 1970. */
  readonly attempt: number;
  readonly retryAt: number | undefined;
}

/** What a store makes of what its source brings. */
export interface Content<View> {
  /** @throws what makes no sense: the source then begins at the beginning. */
  take(item: Followed): void;
  /** What is there now; nothing in it is changed afterwards. */
  show(state: ConnectionState): View;
}

export interface StoreOptions {
  /** Told of what a listener or handler threw. */
  readonly onError: (error: unknown) => void;
  /** Told when the store gets its first user, and when its last one has left and its connection is closed. */
  readonly onUse: () => void;
  readonly onIdle: () => void;
}

/** A store keeps its connection so long after its last user left: one that comes back at once finds it open. */
const GRACE_MS = 1_000;

/**
 * One source, shown to any number of users: a view, replaced at most once a frame. Connected while it has users. Made for
 * React's `useSyncExternalStore`, and for anything else.
 */
export class Store<View, Shown extends Content<View> = Content<View>> {
  readonly #before: Content<View>['show'];
  readonly #load: () => Promise<Shown>;
  #content: Shown | undefined;
  readonly #options: StoreOptions;
  readonly #source: Source;
  readonly #flush = new Flush(() => this.#show());
  readonly #listeners = new Set<() => void>();
  readonly #handlers = new Set<(item: Followed) => void>();
  readonly #initial: View;
  #view: View;
  #state: ConnectionState = IDLE;
  #users = 0;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #news = Promise.withResolvers<void>();

  /**
   * @param before what is shown until there is a content.
   * @param load the content, which comes while the server answers.
   */
  constructor(
    before: Content<View>['show'],
    load: () => Promise<Shown>,
    connect: (sink: Sink) => Source,
    options: StoreOptions,
  ) {
    this.#before = before;
    this.#view = this.#initial = before(IDLE);
    this.#load = load;
    this.#options = options;
    this.#source = connect({
      load: () => (this.#content ? undefined : this.content()),
      take: (items) => this.#take(items),
      connection: (state) => {
        this.#state = state;
        this.#tell();
        // An end is shown at once: whoever waited for it looks next.
        if (rests(state)) this.#flush.now();
      },
    });
  }

  /** Calls `listener` after each new view, until the returned function is called. Connected meanwhile. */
  readonly subscribe = (listener: () => void): (() => void) => {
    // A listener that subscribes twice is called twice, and leaves once with each.
    const own = (): void => listener();
    this.#listeners.add(own);
    return this.use(() => this.#listeners.delete(own));
  };

  /** The view of the last flush. */
  readonly getSnapshot = (): View => this.#view;

  /** The view before anything came: what a server renders, and a browser hydrates. */
  readonly getServerSnapshot = (): View => this.#initial;

  /**
   * Calls `handler` with everything of a kind, at once and in order, from now on; after a `reset` the log comes from its
   * beginning again. Connected meanwhile. What it throws goes to `onError`; the others are called all the same.
   *
   * @returns what ends it.
   *
   * @example
   * run.on('event', ({ event }) => console.log(event.type));
   */
  on<K extends Followed['kind']>(kind: K, handler: (item: Extract<Followed, { kind: K }>) => void): () => void {
    const own = (item: Followed): void => {
      if (item.kind === kind) handler(item as Extract<Followed, { kind: K }>);
    };
    this.#handlers.add(own);
    return this.use(() => this.#handlers.delete(own));
  }

  /** Comes back now: out of a wait, and after it had given up. */
  reconnect(): void {
    this.#source.reconnect();
  }

  /** Keeps it connected until the returned function is called, which calls `onLeave` once. */
  use(onLeave?: () => void): () => void {
    if (this.#users++ === 0) {
      clearTimeout(this.#grace);
      this.#options.onUse();
      if (!this.hasEnded) this.#source.open();
    }
    let isUsed = true;
    return () => {
      if (!isUsed) return;
      isUsed = false;
      onLeave?.();
      if (--this.#users > 0) return;
      if (this.hasEnded) this.#options.onIdle();
      else this.#grace = setTimeout(() => this.#rest(), GRACE_MS);
    };
  }

  /** Lets go of the connection for good: iterators end. What is shown stays. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
    this.#news.resolve();
  }

  /** @throws {TelltaleError} `unreachable` where it could not be loaded. */
  protected async content(): Promise<Shown> {
    const content = this.#content ?? (await part(this.#load()));
    this.#content ??= content;
    return this.#content;
  }

  /** Nothing more will come: the log has ended, or the store was closed. */
  protected get hasEnded(): boolean {
    return this.#isClosed || this.#isOver;
  }

  /** Why nothing comes until somebody asks for a new connection. */
  protected get failure(): TelltaleError | undefined {
    return this.#state.phase === 'closed' ? this.#state.error : undefined;
  }

  /** Resolves when something has happened. */
  protected news(): Promise<void> {
    return this.#news.promise;
  }

  get #isOver(): boolean {
    return this.#state.phase === 'closed' && !this.#state.error;
  }

  /** Lets go of the connection; used again it goes on from there. */
  #rest(): void {
    clearTimeout(this.#grace);
    // It may have ended since its last user left.
    if (!this.#isOver) this.#source.close();
    this.#options.onIdle();
  }

  #take(items: readonly Followed[]): void {
    for (const item of items) {
      this.#content?.take(item);
      for (const handler of this.#handlers) this.#call(() => handler(item));
    }
    this.#tell();
  }

  #tell(): void {
    this.#flush.request(this.#state.phase === 'catching-up');
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  #show(): void {
    this.#view = this.#content ? this.#content.show(this.#state) : this.#before(this.#state);
    for (const listener of this.#listeners) this.#call(listener);
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

export const connectionView = ({ phase, error, attempt, retryAt }: ConnectionState): ConnectionView => ({
  connection: phase,
  error,
  attempt,
  retryAt,
});
