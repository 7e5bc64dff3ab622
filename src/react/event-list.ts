import type { Run, RunView } from '../client/index.ts';
import { TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import type { Readable } from './readable.ts';

/** Events of a run, as a list shows them. */
export interface EventListView {
  /** Consecutive, to the newest. Frames may hold merged deltas: `deltasOf` takes them apart. */
  readonly events: readonly TelltaleEvent[];
  /** There are events before the first one here. */
  readonly hasOlder: boolean;
  readonly isLoadingOlder: boolean;
  /** Why older events could not be loaded; until they are asked for again. */
  readonly olderError: TelltaleError | undefined;
}

/** Of what came since older events were loaded, so many are kept: who reads back is not followed for ever. */
const MAX_SINCE = 10_000;

/**
 * The window of a run's newest events, and what a reader who scrolled back loaded before it. From then on nothing falls
 * out of it: the reader is there.
 */
export class EventList implements Readable<EventListView> {
  readonly getServerSnapshot: () => EventListView;
  readonly #run: Run;
  readonly #listeners = new Set<() => void>();
  #from: RunView;
  #events: readonly TelltaleEvent[];
  #loaded = 0;
  #hasBeginning = false;
  #isLoading = false;
  #error: TelltaleError | undefined;
  #view: EventListView;

  constructor(run: Run) {
    this.#run = run;
    this.#from = run.getServerSnapshot();
    this.#events = this.#from.events;
    const first = this.#show();
    this.#view = first;
    this.getServerSnapshot = () => first;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    const leave = this.#run.subscribe(listener);
    return () => {
      this.#listeners.delete(listener);
      leave();
    };
  };

  readonly getSnapshot = (): EventListView => {
    const view = this.#run.getSnapshot();
    if (view !== this.#from) {
      this.#follow(view);
      this.#view = this.#show();
    }
    return this.#view;
  };

  /** Loads at most `count` events before the first one here. What goes wrong is told in the view. */
  readonly loadOlder = async (count = 100): Promise<void> => {
    const { events } = this.getSnapshot();
    const { data, resets } = this.#from;
    if (this.#isLoading || !data) return;
    this.#tell(true);
    try {
      const older = await this.#run.before(events[0] ?? { epoch: data.epoch, seq: data.seq + 1 }, count);
      // What is here now may have begun anew, or have been left behind: then it does not fit.
      if (this.#from.resets === resets && this.#events[0] === events[0]) {
        this.#events = [...older, ...this.#events];
        this.#loaded += older.length;
        this.#hasBeginning = older.length === 0;
      }
      this.#tell(false);
    } catch (error) {
      this.#tell(false, TelltaleError.from(error));
    }
  };

  #follow(view: RunView): void {
    const { events, resets } = view;
    const last = this.#events.at(-1)?.seq ?? 0;
    const isWhole = resets === this.#from.resets && before(events[0]) <= last;
    this.#from = view;
    if (this.#loaded > 0 && isWhole) {
      const since = events.filter((event) => event.seq > last);
      if (since.length > 0) this.#events = [...this.#events, ...since].slice(-(MAX_SINCE + this.#loaded));
      return;
    }
    this.#events = events;
    this.#loaded = 0;
    this.#hasBeginning = false;
  }

  #show(): EventListView {
    const held = this.#events.reduce((sum, { count = 1 }) => sum + count, 0);
    return {
      events: this.#events,
      hasOlder: !this.#hasBeginning && held < (this.#from.data?.events ?? 0),
      isLoadingOlder: this.#isLoading,
      olderError: this.#error,
    };
  }

  #tell(isLoading: boolean, error?: TelltaleError): void {
    this.#isLoading = isLoading;
    this.#error = error;
    this.#view = this.#show();
    for (const listener of this.#listeners) listener();
  }
}

/** The number before an event of its run: those between belong to other runs. */
const before = (event: TelltaleEvent | undefined): number =>
  event ? (event.prev ?? (event.first ?? event.seq) - 1) : 0;
