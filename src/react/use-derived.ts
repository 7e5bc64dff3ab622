import { useMemo } from 'react';
import { type RunHookOptions, type RunResult, useRun } from './use-run.ts';
import type { ViewOptions } from './use-view.ts';

/**
 * What `derive` makes of a run, or the part of that which `select` names.
 *
 * @param derive the same function from render to render; what it makes of the same it gives again.
 */
export function useDerived<Result, Slice>(
  runId: string | undefined,
  derive: (run: RunResult) => Result,
  { select, isEqual, ...options }: RunHookOptions & ViewOptions<Result, Slice>,
): Slice {
  const pick = useMemo(
    () => (select ? (run: RunResult) => select(derive(run)) : (derive as unknown as (run: RunResult) => Slice)),
    [derive, select],
  );
  return useRun(runId, { ...options, select: pick, ...(isEqual && { isEqual }) });
}
