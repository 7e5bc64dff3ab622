import { type BudgetLimits, type EventData, parseBudget, strictest, TelltaleError } from '../protocol/index.ts';

/**
 * What a run may spend: the least of what the server, its agent, whoever starts it and the run above it allow.
 *
 * @param asked by whoever starts it.
 * @throws {TelltaleError} `invalid_request`, naming the field.
 */
export function budgetOf(
  asked: BudgetLimits | undefined,
  ...others: readonly (BudgetLimits | undefined)[]
): EventData<'budget.set'> | undefined {
  return strictest(...others, asked && parseBudget(asked, 'invalid_request'));
}

/** The same for a run that is executed elsewhere: nobody here holds its producer back. */
export function remoteBudget(
  policy: BudgetLimits | undefined,
  asked: BudgetLimits | undefined,
): EventData<'budget.set'> | undefined {
  const limits = budgetOf(asked, policy);
  if (asked?.onExceeded !== undefined && asked.onExceeded !== 'stop') {
    const detail =
      'budget.onExceeded: a run with "mode": "remote" can only be stopped: its producer decides what begins.';
    throw new TelltaleError('invalid_request', detail);
  }
  return limits && { ...limits, onExceeded: 'stop' };
}

/**
 * Checks what a server or an agent sets for all of its runs, the latter against the former.
 *
 * @throws {TelltaleError} `invalid_option`, naming the field.
 */
export function checkBudget(budget: BudgetLimits | undefined, policy?: BudgetLimits): void {
  if (!budget) return;
  try {
    strictest(policy, parseBudget(budget, 'invalid_option'));
  } catch (error) {
    throw new TelltaleError('invalid_option', TelltaleError.from(error).message);
  }
}
