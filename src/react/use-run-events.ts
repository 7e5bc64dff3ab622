import { useMemo } from 'react';
import { type EventListView, eventList } from './event-list.ts';
import { useRunStore } from './run-source.ts';
import type { RunHookOptions } from './use-run.ts';
import { type Selecting, useView, type ViewOptions } from './use-view.ts';

/** A run's events, newest last, and the way back to older ones. */
export interface RunEvents extends EventListView {
  /**
   * Loads what came before the first event here, 100 at most or `count`. From then on nothing that is shown goes away
   * while the run goes on.
   */
  loadOlder(count?: number): Promise<void>;
}

/**
 * The newest events of a run (1,000, or the client's `window`), live, as the server sent them; older ones are loaded when
 * asked for.
 *
 * @example
 * const { events, hasOlder, loadOlder } = useRunEvents(runId);
 */
export function useRunEvents(runId: string | undefined, options?: RunHookOptions): RunEvents;
export function useRunEvents<Slice>(
  runId: string | undefined,
  options: RunHookOptions & Selecting<RunEvents, Slice>,
): Slice;
export function useRunEvents<Slice>(
  runId: string | undefined,
  options: RunHookOptions & ViewOptions<RunEvents, Slice> = {},
): Slice {
  const opened = useRunStore(runId, options);
  const list = useMemo(() => eventList(opened), [opened]);
  const { loadOlder } = list;
  const describe = useMemo(
    () =>
      (view: EventListView): RunEvents => ({ ...view, loadOlder }),
    [loadOlder],
  );
  return useView(list, describe, options);
}
