'use client';

import { createContext, forwardRef } from 'react';
import type { RunSnapshot, StepSpan } from '../../protocol/index.ts';
import { durationOf } from '../duration.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { element, type OfRun, type PartProps, partStyle, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { visible } from './visible.ts';
import { useWords } from './words.ts';

export interface PlanState {
  readonly goal: string | undefined;
  /** The planned steps in the order of the plan; without one, the steps in the order in which they began. */
  readonly steps: readonly StepSpan[];
  readonly done: number;
}

const Planned = createContext<PlanState | undefined>(undefined);

/**
 * The plan of a run and how far it is. Shows nothing where there are no steps.
 *
 * @example
 * <Plan.Root runId={runId} />
 */
export const Root = forwardRef<HTMLElement, PartProps<'section', PlanState> & OfRun>(function Plan(props, ref) {
  const { runId, from, initialSnapshot, ...given } = props;
  const source = { from, initialSnapshot };
  const { labels, locale } = useWords();
  const { plan, all } = useRun(runId, { ...source, select: planned });
  const steps = stepsOf(plan, all);
  if (steps.length === 0) return null;
  const done = steps.filter(({ status }) => status === 'completed').length;
  const state: PlanState = { goal: plan?.goal, steps, done };
  const children = (
    <>
      {state.goal !== undefined && <div data-slot="plan-goal">{visible(state.goal)}</div>}
      <Progress />
      <List />
    </>
  );
  const own = { slot: 'plan', 'aria-label': labels.plan(locale), children };
  return <Planned.Provider value={state}>{element('section', own, given, state, ref as never)}</Planned.Provider>;
});

const NONE: readonly StepSpan[] = [];
const planned = ({ data }: RunResult) => ({ plan: data?.plan, all: data?.steps ?? NONE });

function stepsOf(plan: RunSnapshot['plan'], all: readonly StepSpan[]): readonly StepSpan[] {
  if (!plan) return all;
  const byId = new Map(all.map((step) => [step.id, step]));
  return plan.stepIds.flatMap((id) => byId.get(id) ?? []);
}

/** How many steps are done. */
export const Progress = forwardRef<HTMLDivElement, PartProps<'div', PlanState>>(function Progress(given, ref) {
  const state = useRoot(Planned);
  const { labels, locale } = useWords();
  const text = labels.planProgress(state.done, state.steps.length, locale);
  const own = {
    slot: 'plan-progress',
    role: 'progressbar',
    'aria-label': labels.plan(locale),
    'aria-valuemin': 0,
    'aria-valuenow': state.done,
    'aria-valuemax': state.steps.length,
    'aria-valuetext': text,
    style: partStyle(state.done / state.steps.length),
    children: text,
  };
  return element('div', own, given, state, ref as never);
});

/** The steps; `aria-current="step"` is on those that run. */
export const List = forwardRef<HTMLOListElement, PartProps<'ol', PlanState>>(function List(given, ref) {
  const state = useRoot(Planned);
  const { labels, locale } = useWords();
  const children = state.steps.map((step) => {
    const ms = durationOf(step);
    const facts = [
      labels.standing(step.status, locale),
      ms === undefined ? undefined : labels.duration(ms, locale),
      visible(step.error?.message ?? ''),
    ];
    return (
      <li
        key={step.id}
        data-slot="plan-step"
        data-status={step.status}
        data-agent={step.agentId}
        aria-current={step.status === 'running' ? 'step' : undefined}
      >
        <Glyph status={step.status} /> <bdi data-slot="plan-step-name">{visible(step.name)}</bdi>{' '}
        <span data-slot="plan-step-facts">{facts.filter(Boolean).join(' · ')}</span>
      </li>
    );
  });
  return element('ol', { slot: 'plan-list', children }, given, state, ref as never);
});
