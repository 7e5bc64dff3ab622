import type { TelltaleEvent } from '../protocol/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { Fold } from './fold.ts';
import type { LogView } from './log-view.ts';
import type { Followed } from './source.ts';
import { type Content, connectionView } from './store.ts';
import { type Walked, type Walker, walk } from './walk.ts';
import { EventWindow } from './window.ts';

/** The store of a log, as who reads all of its events needs it. */
export interface Walkable extends Pick<Walked, 'news' | 'page'> {
  /** Nothing more will come. @throws {TelltaleError} why nothing comes. */
  hasEnded(): boolean;
}

/** A log, folded, and its newest events. */
export class LogContent<Data, View extends LogView<Data>> implements Content<View> {
  readonly #window: EventWindow;
  /** Those who read `events()` now. */
  readonly #walkers = new Set<Walker>();
  readonly #describe: (view: LogView<Data>) => View;
  readonly #fold: Fold<Data>;
  #data: Data | undefined;
  #lastSeq: number;
  #lastEventAt: number | undefined;
  #latest = 0;
  #resets = 0;
  /** What was shown is void; what replaces it is not complete yet. */
  #isRefolding = false;

  /**
   * @param describe what this kind of log adds to its view.
   * @param size how many events `view.events` holds.
   * @param known the number up to which `fold` holds the log already.
   */
  constructor(fold: Fold<Data>, describe: (view: LogView<Data>) => View, size: number, known = 0) {
    this.#fold = fold;
    this.#describe = describe;
    this.#data = fold.show();
    this.#window = new EventWindow(size);
    this.#window.clear(known);
    this.#lastSeq = known;
  }

  take(item: Followed): void {
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
        this.#isRefolding = false;
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
        this.#isRefolding = false;
        return;
      case 'connected':
        this.#latest = item.hello.latest;
    }
  }

  show(state: ConnectionState): View {
    if (state.phase === 'closed' && !state.error) this.#isRefolding = false;
    if (!this.#isRefolding) this.#data = this.#fold.show() ?? this.#data;
    return this.#describe({
      ...connectionView(state),
      data: this.#data,
      events: this.#window.events,
      lastSeq: this.#lastSeq,
      lastEventAt: this.#lastEventAt,
      latest: Math.max(this.#latest, this.#lastSeq),
      resets: this.#resets,
    });
  }

  /** As `LogStore.events`. */
  walk(after: string | undefined, { hasEnded, news, page }: Walkable): AsyncGenerator<TelltaleEvent, void, void> {
    return walk(after, {
      join: (walker) => {
        this.#walkers.add(walker);
        return () => this.#walkers.delete(walker);
      },
      next: (seq) => {
        const next = this.#window.after(seq);
        return next?.length === 0 && hasEnded() ? 'end' : next;
      },
      news,
      page,
    });
  }

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
    this.#isRefolding = true;
  }
}
