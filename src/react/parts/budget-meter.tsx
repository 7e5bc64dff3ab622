'use client';

import { forwardRef, type ReactElement } from 'react';
import type { BudgetLimit } from '../../protocol/index.ts';
import { type LimitUse, useBudget } from '../use-budget.ts';
import { element, type OfRun, type PartProps, partStyle } from './element.ts';
import type { Labels } from './labels.ts';
import { useWords } from './words.ts';

export interface BudgetMeterState {
  readonly uses: readonly LimitUse[];
}

/**
 * The budget of a run, a meter for each maximum it has: how much is used, that it runs low, and what was decided once it
 * was used up. Shows nothing where there is none. Of a maximum whose use is not known it says so, and shows no meter.
 *
 * @example
 * <BudgetMeter.Root runId={runId} />
 */
export const Root = forwardRef<HTMLDivElement, PartProps<'div', BudgetMeterState> & OfRun>(
  function BudgetMeter(props, ref) {
    const { runId, from, initialSnapshot, ...given } = props;
    const source = { from, initialSnapshot };
    const { limits: uses, currency } = useBudget(runId, source);
    if (uses.length === 0) return null;
    const children = uses.map((it) => <Limit key={it.limit} use={it} currency={currency} />);
    return element('div', { slot: 'budget-meter', children }, given, { uses }, ref as never);
  },
);

interface LimitProps {
  readonly use: LimitUse;
  readonly currency: string | undefined;
}

function Limit({ use, currency }: LimitProps): ReactElement {
  const { limit, max, share, status, warning, exceeded } = use;
  const { labels, locale } = useWords();
  const write = (value: number): string => amountOf(limit, value, currency, labels, locale);
  // What was told of it is known of it.
  const used = use.used ?? (exceeded ?? warning)?.used;
  const text = [
    labels.budgetUsed(limit, used === undefined ? undefined : write(used), write(max), locale),
    status === 'ok' ? undefined : labels.budgetStanding(status, exceeded?.decision, locale),
  ]
    .filter(Boolean)
    .join(' · ');
  // A meter, not a progressbar: it is not good news that it fills (WAI-ARIA 1.2, 5.4).
  const meter = used !== undefined && {
    role: 'meter',
    'aria-label': labels.budget(limit, locale),
    'aria-valuemin': 0,
    'aria-valuenow': Math.min(used, max),
    'aria-valuemax': max,
    'aria-valuetext': text,
    style: partStyle(share ?? (max > 0 ? used / max : 1)),
  };
  return (
    <div data-slot="budget-limit" data-status={status} data-decision={exceeded?.decision} {...meter}>
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
