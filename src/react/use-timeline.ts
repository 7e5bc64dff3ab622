import { useCallback, useMemo, useState } from 'react';
import type { RunSnapshot } from '../protocol/index.ts';
import { useRunStore } from './run-source.ts';
import { type Choices, type TimelineRow, timelineOf } from './timeline.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import type { Selecting, ViewOptions } from './use-view.ts';

/** The rows of a run, and which of them are open. */
export interface Timeline {
  /** In the order in which they began; what an agent did stands below it. Rows of closed agents are left out. */
  readonly rows: readonly TimelineRow[];
  /** Opens a closed row, and the other way round. From then on it stays as the reader wants it. */
  toggle(row: Pick<TimelineRow, 'key' | 'isOpen'>): void;
}

/**
 * What a run did, as the rows of a list or a virtualiser: agents with what they did below them, thinking folded when it is
 * over, tool calls, messages, begun steps, activities, approvals, commands and errors.
 *
 * @example
 * const { rows, toggle } = useTimeline(runId);
 * return rows.map((row) => <Row key={row.key} row={row} onClick={toggle} />); // const Row = memo(…)
 */
export function useTimeline(runId: string | undefined, options?: RunHookOptions): Timeline;
export function useTimeline<Slice>(
  runId: string | undefined,
  options: RunHookOptions & Selecting<Timeline, Slice>,
): Slice;
export function useTimeline<Slice>(
  runId: string | undefined,
  options: RunHookOptions & ViewOptions<Timeline, Slice> = {},
): Slice {
  const [fold] = useState(timelineOf);
  const [choices, setChoices] = useState<Choices>(() => new Map());
  const toggle = useCallback(({ key, isOpen }: Pick<TimelineRow, 'key' | 'isOpen'>): void => {
    setChoices((before) => new Map(before).set(key, !isOpen));
  }, []);
  const derive = useMemo(() => {
    let of: RunSnapshot | undefined;
    let last: Timeline = { rows: fold(of, choices), toggle };
    return ({ data }: RunResult): Timeline => {
      if (data !== of) last = { rows: fold(data, choices), toggle };
      of = data;
      return last;
    };
  }, [fold, choices, toggle]);
  return useRunView(useRunStore(runId, options), derive, options);
}
