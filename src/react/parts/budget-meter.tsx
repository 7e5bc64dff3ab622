'use client';

import { createContext, type ReactElement } from 'react';
import { type LimitUse, useBudget } from '../use-budget.ts';
import { type OfRun, type PartProps, rangeOf, rootOf, type Shown } from './element.ts';
import { line } from './labels.ts';
import type { Words } from './words.ts';

export interface BudgetMeterState {
  readonly uses: readonly LimitUse[];
}

const Metered = createContext<Shown<BudgetMeterState> | undefined>(undefined);

export type RootProps = PartProps<'div', BudgetMeterState> & OfRun;

/**
 * The budget of a run, a meter for each maximum it has: how much is used, that it runs low, and what was decided once it
 * was used up. Shows nothing where there is none. Of a maximum whose use is not known it says so, and shows no meter.
 *
 * @example
 * <BudgetMeter.Root runId={runId} />
 */
export const Root = rootOf(Metered, 'div', 'budget-meter', (props: RootProps, words) => {
  const { limits: uses, currency } = useBudget(props.runId, props);
  if (uses.length === 0) return undefined;
  return { state: { uses }, own: { children: uses.map((use) => meterOf(use, currency, words)) } };
});

function meterOf(use: LimitUse, currency: string | undefined, words: Words): ReactElement {
  const { limit, max, share, status, warning, exceeded } = use;
  const write = (value: number): string => (limit === 'cost' ? words.money(value, currency) : words.number(value));
  // What was told of it is known of it.
  const used = use.used ?? (exceeded ?? warning)?.used;
  const text = line(
    words.budgetUsed(limit, used === undefined ? used : write(used), write(max)),
    status !== 'ok' && words.budgetStanding(status, exceeded?.decision),
  );
  // A meter, not a progressbar: it is not good news that it fills (WAI-ARIA 1.2, 5.4).
  const meter = used !== undefined && {
    role: 'meter',
    ...rangeOf(words.budget(limit), Math.min(used, max), max, share),
    'aria-valuetext': text,
  };
  return (
    <div key={limit} data-slot="budget-limit" data-status={status} data-decision={exceeded?.decision} {...meter}>
      {text}
    </div>
  );
}
