import type { TelltaleEvent } from '../protocol/index.ts';
import type { ConnectionState } from './connection.ts';
import type { Fold } from './fold.ts';
import type { Followed } from './source.ts';
import { type ConnectionView, type Content, connectionView } from './store.ts';
import type { Walker } from './walk.ts';
import { EventWindow } from './window.ts';

/** A log as people see it. A new object whenever anything in it changed, at most once a frame; the same one until then. */
export interface LogView<Data> extends ConnectionView {
  /** The last good fold. Once there is one it stays: reconnecting or starting over never takes it away. */
  readonly data: Data | undefined;
  /** The newest events, as frames brought them (`deltasOf` takes merged ones apart). All of them: `events()`. */
  readonly events: readonly TelltaleEvent[];
  /** Number of the last event; 0 before the first. */
  readonly lastSeq: number;
  /** When the last event arrived here, by this machine's clock, in milliseconds since 1970. */
  readonly lastEventAt: number | undefined;
  /** The newest number the thread had when the server was last connected: how far there is to catch up. */
  readonly latest: number;
  /** How often what was shown turned out void and was folded anew (`stream.reset`). */
  readonly resets: number;
}

/** A log, folded, and its newest events. */
export class LogContent<Data> implements Content<LogView<Data>> {
  readonly window: EventWindow;
  /** Those who read `events()` now. */
  readonly walkers = new Set<Walker>();
  readonly #fold: Fold<Data>;
  #data: Data | undefined;
  #lastSeq: number;
  #lastEventAt: number | undefined;
  #latest = 0;
  #resets = 0;
  /** What was shown is void; what replaces it is not complete yet. */
  #isRefolding = false;

  /**
   * @param size how many events `view.events` holds.
   * @param known the number up to which `fold` holds the log already.
   */
  constructor(fold: Fold<Data>, size: number, known = 0) {
    this.#fold = fold;
    this.#data = fold.show();
    this.window = new EventWindow(size);
    this.window.clear(known);
    this.#lastSeq = known;
  }

  take(item: Followed): void {
    switch (item.kind) {
      case 'event':
        this.#add(item.event);
        this.window.add(item.event, item.size);
        this.#lastSeq = item.event.seq;
        this.#lastEventAt = Date.now();
        return;
      case 'snapshot':
        this.#fold.load(item.snapshot);
        this.window.clear(item.snapshot.seq);
        this.#lastSeq = item.snapshot.seq;
        this.#isRefolding = false;
        return;
      case 'reset':
        this.#startOver();
        this.#resets++;
        for (const walker of this.walkers) {
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

  show(state: ConnectionState): LogView<Data> {
    if (state.phase === 'closed' && !state.error) this.#isRefolding = false;
    if (!this.#isRefolding) this.#data = this.#fold.show() ?? this.#data;
    return {
      ...connectionView(state),
      data: this.#data,
      events: this.window.events,
      lastSeq: this.#lastSeq,
      lastEventAt: this.#lastEventAt,
      latest: Math.max(this.#latest, this.#lastSeq),
      resets: this.#resets,
    };
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
    this.window.clear();
    this.#isRefolding = true;
  }
}
