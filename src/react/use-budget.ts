import { useMemo } from 'react';
import { type Budget, type BudgetUse, budgetUsed } from '../protocol/index.ts';
import { useRunStore } from './run-source.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import type { Selecting, ViewOptions } from './use-view.ts';

/** One maximum of a budget, what is used of it, and what the log told of that. */
export interface LimitUse extends BudgetUse {
  /** `used` as a part of `max`, above 1 beyond it; absent where the use is not known. */
  readonly share?: number;
  readonly warning?: Budget['warnings'][number];
  /** `decision`: what happens then, `stop`, `pause` or `ask`. */
  readonly exceeded?: NonNullable<Budget['exceeded']>;
}

export interface BudgetResult {
  /** One for each maximum; empty without a budget. */
  readonly limits: readonly LimitUse[];
  readonly currency: string | undefined;
}

const NOTHING: BudgetResult = { limits: [], currency: undefined };

/**
 * The budget of a run: what is used of each maximum. Renders when that changes.
 *
 * @example
 * const { limits } = useBudget(runId);
 * const isShort = useBudget(runId, { select: ({ limits }) => limits.some((it) => it.status !== 'ok') });
 */
export function useBudget(runId: string | undefined, options?: RunHookOptions): BudgetResult;
export function useBudget<Slice>(
  runId: string | undefined,
  options: RunHookOptions & Selecting<BudgetResult, Slice>,
): Slice;
export function useBudget<Slice>(
  runId: string | undefined,
  options: RunHookOptions & ViewOptions<BudgetResult, Slice> = {},
): Slice {
  return useRunView(useRunStore(runId, options), useMemo(steady, []), options);
}

function budgetOf({ data }: RunResult): BudgetResult {
  if (!data?.budget) return NOTHING;
  const { warnings, exceeded, currency } = data.budget;
  const limits = budgetUsed(data).map((use): LimitUse => {
    const { limit, used, max } = use;
    const warning = warnings.findLast((it) => it.limit === limit);
    return {
      ...use,
      // A maximum of nothing is used up from the beginning.
      ...(used !== undefined && { share: max > 0 ? used / max : 1 }),
      ...(warning && { warning }),
      ...(exceeded?.limit === limit && { exceeded }),
    };
  });
  return { limits, currency };
}

/** The same object as long as it says the same: a run changes with every token, its budget seldom. */
function steady(): (run: RunResult) => BudgetResult {
  let last = NOTHING;
  let said = '';
  return (run) => {
    const next = budgetOf(run);
    const says = JSON.stringify(next);
    if (says !== said) [last, said] = [next, says];
    return last;
  };
}
