import { z } from 'zod';
import { TelltaleError } from './errors.ts';
import type { EventData } from './event.ts';
import { moneyEvents } from './events/control.ts';

/** More than anybody can mean. */
const MOST = 1e12;
const { maxCost, maxTokens, maxToolCalls, ...rest } = moneyEvents['budget.set'].shape;
const atMost = (limit: z.ZodNumber) => limit.max(MOST, 'must be at most 1e12').exactOptional();

/** What may be asked for when a run is started, and what a server or an agent sets for all of its runs. */
export const budgetLimits = z.strictObject({
  ...rest,
  maxCost: atMost(maxCost.unwrap()).describe(
    'In `currency`, USD by default. Only what is known to have been paid counts.',
  ),
  maxTokens: atMost(maxTokens.unwrap()),
  maxToolCalls: atMost(maxToolCalls.unwrap()),
  currency: rest.currency.describe('ISO 4217.'),
});

/**
 * The most that a run may spend. Each maximum holds by itself; what is left out is not limited.
 *
 * - `maxCost` in `currency` (ISO 4217, `USD` by default), `maxTokens` in and out, `maxToolCalls` begun.
 * - `warnAt`: the part of a maximum at which the run warns, 0.8 by default.
 * - `onExceeded`: what happens before the next call once a maximum is reached. `stop` (default) fails the run as
 *   `budget_exceeded`; `pause` holds it until somebody resumes it; `ask` asks people. Resumed or allowed, it gets the same
 *   amount again.
 */
export type BudgetLimits = z.infer<typeof budgetLimits>;

/**
 * The budget of a run for which several have set one, the server's policy first: the smallest of each maximum, the
 * earliest warning, the strictest decision (`stop`, then `pause`, then `ask`) of those who said one. `undefined` where
 * nothing is limited.
 *
 * @throws {TelltaleError} `invalid_request` where two set costs in different currencies: they cannot be compared.
 */
export function strictest(...budgets: readonly (BudgetLimits | undefined)[]): EventData<'budget.set'> | undefined {
  const set = budgets.filter((it) => it !== undefined);
  const least = (field: (typeof NUMBERS)[number]) => set.flatMap((it) => it[field] ?? []).sort((a, b) => a - b)[0];
  const limits = Object.fromEntries(NUMBERS.flatMap((it) => (least(it) === undefined ? [] : [[it, least(it)]])));
  if (!MAXIMA.some((it) => it in limits)) return undefined;
  const onExceeded = DECISIONS.find((it) => set.some((budget) => budget.onExceeded === it));
  const currencies = new Set(set.flatMap((it) => it.currency ?? (it.maxCost === undefined ? [] : 'USD')));
  if ('maxCost' in limits && currencies.size > 1) {
    const detail = `budget.currency: ${[...currencies].join(' and ')} cannot be compared. Use ${[...currencies][0]}.`;
    throw new TelltaleError('invalid_request', detail);
  }
  const [currency = 'USD'] = currencies;
  return { ...limits, ...('maxCost' in limits && { currency }), ...(onExceeded && { onExceeded }) };
}

const MAXIMA = ['maxCost', 'maxTokens', 'maxToolCalls'] as const;
const NUMBERS = [...MAXIMA, 'warnAt'] as const;
const DECISIONS = ['stop', 'pause', 'ask'] as const;

/** @throws {TelltaleError} `code`, naming the field. */
export function parseBudget(input: unknown, code: 'invalid_request' | 'invalid_option'): BudgetLimits {
  const parsed = budgetLimits.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${['budget', ...path].join('.')}: ${message}`);
  throw new TelltaleError(code, issues.join('; '));
}
