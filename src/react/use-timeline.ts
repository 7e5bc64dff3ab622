import { useCallback, useMemo, useState } from 'react';
import { useRunStore } from './run-source.ts';
import type { Choices, TimelineOptions, TimelineRow } from './timeline.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import { useStory } from './use-story.ts';
import { isShallowEqual, type Selecting, type ViewOptions } from './use-view.ts';

/** The rows of a run, and which of them are open. */
export interface Timeline {
  /** In the order in which they began; what an agent did stands below it. Rows of closed agents are left out. */
  readonly rows: readonly TimelineRow[];
  /** That there are no rows says nothing: nothing is known of the run yet, or what makes rows of it is still on its way. */
  readonly isPending: boolean;
  /** Opens a closed row, and the other way round. From then on it stays as the reader wants it. */
  toggle(row: Pick<TimelineRow, 'key' | 'isOpen'>): void;
  /**
   * Finds the row with a key, or the one that tells of the event with a number: its own, else that of what it belongs to,
   * else the nearest before it. Opens the agents and the group that it is in. `undefined` while there is none.
   *
   * @returns the key of the row.
   */
  reveal(target: string | number): string | undefined;
}

const NONE: readonly TimelineRow[] = [];

export interface TimelineHookOptions extends RunHookOptions, TimelineOptions {}

/**
 * What a run did, as the rows of a list or a virtualiser: agents with what they did below them, thinking folded when it is
 * over, tool calls, messages, begun steps, activities, approvals, commands and errors. Long runs of calls that succeeded are
 * one row.
 *
 * @example
 * const { rows, toggle } = useTimeline(runId);
 * return rows.map((row) => <Row key={row.key} row={row} onClick={toggle} />); // const Row = memo(…)
 */
export function useTimeline(runId: string | undefined, options?: TimelineHookOptions): Timeline;
export function useTimeline<Slice>(
  runId: string | undefined,
  options: TimelineHookOptions & Selecting<Timeline, Slice>,
): Slice;
export function useTimeline<Slice>(
  runId: string | undefined,
  options: TimelineHookOptions & ViewOptions<Timeline, Slice> = {},
): Slice {
  const [choices, setChoices] = useState<Choices>(() => new Map());
  const toggle = useCallback(({ key, isOpen }: Pick<TimelineRow, 'key' | 'isOpen'>): void => {
    setChoices((before) => new Map(before).set(key, !isOpen));
  }, []);
  const { show, step, group } = options;
  const opened = useRunStore(runId, options);
  const story = useStory(opened.store);
  const fold = useMemo(() => story?.timelineOf(), [story]);
  const reveal = useCallback(
    (target: string | number): string | undefined => {
      const path = fold?.pathTo(target, opened.store.getSnapshot().events);
      if (path && path.closed.length > 0) {
        setChoices((before) => new Map([...before, ...path.closed.map((key) => [key, true] as const)]));
      }
      return path?.key;
    },
    [fold, opened],
  );
  const derive = useMemo(() => {
    let last: Timeline = { rows: NONE, isPending: true, toggle, reveal };
    return ({ data }: RunResult): Timeline => {
      const rows = fold?.(data, choices, { show, step, group }) ?? NONE;
      const next = { ...last, rows, isPending: !fold || !data };
      if (!isShallowEqual(next, last)) last = next;
      return last;
    };
  }, [fold, choices, show, step, group, toggle, reveal]);
  return useRunView(opened, derive, options);
}
