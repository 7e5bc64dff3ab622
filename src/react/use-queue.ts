import { useMemo } from 'react';
import type { ListedRun } from '../client/index.ts';
import { type RunListResult, useListed } from './use-runs.ts';
import type { HookOptions, Selecting, ViewOptions } from './use-view.ts';

/** A run that waits for its turn. */
export interface QueuedRun extends ListedRun {
  /** How many of its agent's runs wait before it; absent where more wait than are shown. */
  readonly position?: number;
}

export interface QueueResult extends Omit<RunListResult, 'data'> {
  /** Whose turn is next comes first. */
  readonly data: readonly QueuedRun[] | undefined;
  /**
   * The position of one run; `undefined` of one that does not wait. What the run itself was told, which counts those of
   * other agents where they share a line, is `position` of its snapshot.
   */
  positionOf(runId: string): number | undefined;
}

/** The most that a live list holds. */
const LIMIT = 200;

/**
 * The runs that wait for their turn, live: those of one agent, or all. Of a queue longer than 200 the newest are shown.
 *
 * @example
 * const { data = [] } = useQueue({ agent: 'analyst' });
 * const before = useQueue({ agent: 'analyst' }, { select: (queue) => queue.positionOf(runId) });
 */
export function useQueue(filter?: { readonly agent?: string }, options?: HookOptions): QueueResult;
export function useQueue<Slice>(
  filter: { readonly agent?: string },
  options: HookOptions & Selecting<QueueResult, Slice>,
): Slice;
export function useQueue<Slice>(
  { agent }: { readonly agent?: string } = {},
  options: ViewOptions<QueueResult, Slice> = {},
): Slice {
  return useListed({ status: 'queued', limit: LIMIT, agent }, useMemo(queued, []), options);
}

function queued(): (list: RunListResult) => QueueResult {
  let of: readonly ListedRun[] | undefined;
  let known = inOrder(of);
  return (list) => {
    if (list.data !== of) {
      of = list.data;
      known = inOrder(of);
    }
    return { ...list, ...known };
  };
}

/** First come, first served. */
function inOrder(newestFirst: readonly ListedRun[] | undefined): Pick<QueueResult, 'data' | 'positionOf'> {
  const isWhole = newestFirst !== undefined && newestFirst.length < LIMIT;
  const before = new Map<string, number>();
  const data = newestFirst?.toReversed().map((run): QueuedRun => {
    const position = before.get(run.agent) ?? 0;
    before.set(run.agent, position + 1);
    return isWhole ? { ...run, position } : run;
  });
  return { data, positionOf: (runId) => data?.find((it) => it.runId === runId)?.position };
}
