import type { EventData, Usage } from './event.ts';
import type { RunSnapshot } from './snapshot.ts';

/** Which maximum of a budget is meant. */
export type BudgetLimit = EventData<'budget.warning'>['limit'];

/** How much of one maximum is used. */
export interface BudgetUse {
  readonly limit: BudgetLimit;
  /** Absent where the log does not say: what a run costs may be unknown, which is not nothing. */
  readonly used?: number;
  readonly max: number;
  /** Part of `max` at which there is a warning. */
  readonly warnAt: number;
  /** As the log has told since the latest `budget.set`; above its maximum a use is exceeded before anybody says so. */
  readonly status: 'ok' | 'warning' | 'exceeded';
}

/** Where nothing else is said, a warning comes at this part of a maximum. */
const WARN_AT = 0.8;

/**
 * What a run has used of each maximum that it has: the one answer for those who enforce budgets and those who show them.
 * Costs are those in the budget's currency. A tool call counts from when it is told, until it is denied.
 */
export function budgetUsed(snapshot: Pick<RunSnapshot, UsedBy>): readonly BudgetUse[] {
  const { budget, cost, usage, tools } = snapshot;
  if (!budget) return [];
  const { maxCost, maxTokens, maxToolCalls, currency, warnAt = WARN_AT } = budget;
  // Sums of binary fractions are not exact: ten times 0.1 shall be 1.
  const paid = cost && (currency ?? cost.currency) === cost.currency ? Number(cost.amount.toFixed(9)) : undefined;
  const all: [BudgetLimit, number | undefined, number | undefined][] = [
    ['cost', maxCost, cost ? paid : nothingYet(snapshot)],
    ['tokens', maxTokens, tokensOf(usage) ?? nothingYet(snapshot)],
    ['toolCalls', maxToolCalls, tools.reduce((count, { status }) => (status === 'denied' ? count : count + 1), 0)],
  ];
  return all.flatMap(([limit, max, used]) => {
    if (max === undefined) return [];
    const isOver = budget.exceeded?.limit === limit || (used !== undefined && used > max);
    const isWarned = budget.warnings.some((it) => it.limit === limit);
    const status = isOver ? 'exceeded' : isWarned ? 'warning' : 'ok';
    return [{ limit, max, warnAt, status, ...(used !== undefined && { used }) } as const];
  });
}

type UsedBy = 'budget' | 'cost' | 'usage' | 'tools' | 'llmCalls';

/** Nothing was spent as long as no model has answered: that is known. */
function nothingYet({ usage, cost, llmCalls }: Pick<RunSnapshot, UsedBy>): 0 | undefined {
  return usage || cost || llmCalls.some(({ status }) => status === 'completed') ? undefined : 0;
}

/** Calls that do not state their total are in the sum of the parts alone, and the other way round: both are too small. */
function tokensOf({ totalTokens, inputTokens, outputTokens }: Usage = {}): number | undefined {
  if (inputTokens === undefined || outputTokens === undefined) return totalTokens;
  return Math.max(totalTokens ?? 0, inputTokens + outputTokens);
}
