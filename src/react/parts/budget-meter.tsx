'use client';

import { forwardRef, type ReactElement } from 'react';
import type { RunSnapshot } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { element, type OfRun, type PartProps, partStyle } from './element.ts';
import type { BudgetLimit, Labels } from './labels.ts';
import { useWords } from './words.ts';

/** How much of one maximum is used. */
export interface BudgetUse {
  readonly limit: BudgetLimit;
  /** Absent where the log does not say: what a run costs may be unknown, which is not nothing. */
  readonly used: number | undefined;
  readonly max: number;
  readonly status: 'ok' | 'warning' | 'exceeded';
}

export interface BudgetMeterState {
  readonly uses: readonly BudgetUse[];
}

/**
 * The budget of a run, a meter for each maximum it has. Shows nothing where there is none. Of a maximum whose use is not
 * known it says so, and shows no meter.
 *
 * @example
 * <BudgetMeter.Root runId={runId} />
 */
export const Root = forwardRef<HTMLDivElement, PartProps<'div', BudgetMeterState> & OfRun>(
  function BudgetMeter(props, ref) {
    const { runId, from, initialSnapshot, ...given } = props;
    const source = { from, initialSnapshot };
    const money = useRun(runId, { ...source, select: moneyOf });
    const uses = usesOf(money);
    if (uses.length === 0) return null;
    const children = uses.map((it) => <Limit key={it.limit} use={it} currency={money.budget?.currency} />);
    return element('div', { slot: 'budget-meter', children }, given, { uses }, ref as never);
  },
);

const moneyOf = ({ data }: RunResult) => ({
  budget: data?.budget,
  cost: data?.cost,
  usage: data?.usage,
  toolCalls: data?.tools.length ?? 0,
});

function usesOf({ budget, cost, usage, toolCalls }: ReturnType<typeof moneyOf>): BudgetUse[] {
  if (!budget) return [];
  const { maxCost, maxTokens, maxToolCalls, currency } = budget;
  // What was paid in another currency cannot be measured against this one.
  const paid = cost && (currency === undefined || cost.currency === currency) ? cost.amount : undefined;
  const all: [BudgetLimit, number | undefined, number | undefined][] = [
    ['cost', maxCost, paid],
    ['tokens', maxTokens, tokensOf(usage)],
    ['toolCalls', maxToolCalls, toolCalls],
  ];
  return all.flatMap(([limit, max, counted]) => {
    if (max === undefined) return [];
    const warned = budget.warnings.findLast((it) => it.limit === limit);
    const exceeded = budget.exceeded?.limit === limit ? budget.exceeded : undefined;
    const used = counted ?? (exceeded ?? warned)?.used;
    const isOver = exceeded !== undefined || (used !== undefined && used > max);
    return [{ limit, used, max, status: isOver ? 'exceeded' : warned ? 'warning' : 'ok' } as const];
  });
}

function tokensOf(usage: RunSnapshot['usage']): number | undefined {
  const { totalTokens, inputTokens, outputTokens } = usage ?? {};
  if (totalTokens !== undefined) return totalTokens;
  return inputTokens === undefined || outputTokens === undefined ? undefined : inputTokens + outputTokens;
}

interface LimitProps {
  readonly use: BudgetUse;
  readonly currency: string | undefined;
}

function Limit({ use: { limit, used, max, status }, currency }: LimitProps): ReactElement {
  const { labels, locale } = useWords();
  const write = (value: number): string => amountOf(limit, value, currency, labels, locale);
  const text = labels.budgetUsed(limit, used === undefined ? undefined : write(used), write(max), locale);
  // A meter, not a progressbar: it is not good news that it fills (WAI-ARIA 1.2, 5.4).
  const meter = used !== undefined && {
    role: 'meter',
    'aria-label': labels.budget(limit, locale),
    'aria-valuemin': 0,
    'aria-valuenow': Math.min(used, max),
    'aria-valuemax': max,
    'aria-valuetext': text,
    // A maximum of nothing is used up from the beginning.
    style: partStyle(max > 0 ? used / max : 1),
  };
  return (
    <div data-slot="budget-limit" data-status={status} {...meter}>
      {text}
    </div>
  );
}

function amountOf(
  limit: BudgetLimit,
  value: number,
  currency: string | undefined,
  labels: Labels,
  locale: string,
): string {
  return limit === 'cost' ? labels.money(value, currency, locale) : labels.number(value, locale);
}
