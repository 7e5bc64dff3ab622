import { eventsBefore } from '../client/index.ts';
import { TelltaleError, type TelltaleEvent } from '../protocol/index.ts';
import type { Readable } from './readable.ts';
import type { OpenedRun } from './run-source.ts';

type Paged = Parameters<typeof eventsBefore>[0];

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

/** Beside what a reader loaded, so many are kept: a reader who stays back is not waited for by everything that follows. */
const MAX_SINCE = 10_000;

/** A list of events, and the way back to older ones. */
export interface EventList extends Readable<EventListView> {
  /** Loads at most `count` events before the first one here. What goes wrong is told in the view. */
  loadOlder(count?: number): Promise<void>;
}

/**
 * The window of a run's newest events, and what a reader who scrolled back loaded before it. From then on nothing falls
 * out of it: the reader is there.
 */
export function eventList({ store }: OpenedRun): EventList {
  const listeners = new Set<() => void>();
  let from = store.getServerSnapshot();
  /** How many are kept; 0 as long as the window is enough. */
  let room = 0;
  let hasBeginning = false;
  let shown: EventListView = { events: from.events, hasOlder: false, isLoadingOlder: false, olderError: undefined };
  show({});
  const first = shown;

  function show(more: Partial<EventListView>): void {
    const { events } = { ...shown, ...more };
    const held = events.reduce((sum, { count = 1 }) => sum + count, 0);
    shown = { ...shown, ...more, hasOlder: !hasBeginning && held < (from.data?.events ?? 0) };
  }

  function tell(more: Partial<EventListView>): void {
    show({ isLoadingOlder: false, olderError: undefined, ...more });
    for (const listener of listeners) listener();
  }

  function getSnapshot(): EventListView {
    const view = store.getSnapshot();
    if (view === from) return shown;
    let { events } = view;
    const last = shown.events.at(-1)?.seq ?? 0;
    // What is shown may end before what was: in a replay people go back.
    if (room > 0 && view.resets === from.resets && before(events[0]) <= last && last <= view.lastSeq) {
      const since = events.filter(({ seq }) => seq > last);
      events = since.length > 0 ? [...shown.events, ...since].slice(-room) : shown.events;
    } else {
      room = 0;
      hasBeginning = false;
    }
    from = view;
    show({ events });
    return shown;
  }

  return {
    subscribe(listener) {
      listeners.add(listener);
      const leave = store.subscribe(listener);
      return () => {
        listeners.delete(listener);
        leave();
      };
    },
    getSnapshot,
    getServerSnapshot: () => first,
    async loadOlder(count = 100) {
      const [oldest] = getSnapshot().events;
      const { data, resets } = from;
      if (!store.page || !data || shown.isLoadingOlder) return;
      // From now on: what the older ones are to join must not fall out of the window meanwhile.
      room ||= MAX_SINCE;
      tell({ isLoadingOlder: true });
      try {
        const older = await eventsBefore(store as Paged, oldest ?? { epoch: data.epoch, seq: data.seq + 1 }, count);
        const { events } = getSnapshot();
        // What is here now may have begun anew, or have been left behind: then it does not fit.
        if (from.resets !== resets || events[0] !== oldest) return tell({});
        room += older.length;
        hasBeginning = older.length === 0;
        tell({ events: [...older, ...events] });
      } catch (error) {
        tell({ olderError: TelltaleError.from(error) });
      }
    },
  };
}

/** The number before an event of its run: those between belong to other runs. */
const before = (event: TelltaleEvent | undefined): number =>
  event ? (event.prev ?? (event.first ?? event.seq) - 1) : 0;
