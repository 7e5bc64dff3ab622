'use client';

import { createContext } from 'react';
import type { RunSnapshot, StepSpan } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { type OfRun, type PartProps, partOf, rangeOf, rootOf, type Shown } from './element.ts';
import { factsOf } from './facts.ts';
import { Line } from './glyph.tsx';
import { visible } from './visible.ts';

export interface PlanState {
  readonly goal: string | undefined;
  /** The planned steps in the order of the plan; without one, the steps in the order in which they began. */
  readonly steps: readonly StepSpan[];
  readonly done: number;
}

const Planned = createContext<Shown<PlanState> | undefined>(undefined);

export type RootProps = PartProps<'section', PlanState> & OfRun;

/**
 * The plan of a run and how far it is. Shows nothing where there are no steps.
 *
 * @example
 * <Plan.Root runId={runId} />
 */
export const Root = rootOf(Planned, 'section', 'plan', (props: RootProps, words) => {
  const { plan, all } = useRun(props.runId, { ...props, select: planned });
  const steps = stepsOf(plan, all);
  if (steps.length === 0) return undefined;
  const done = steps.filter(({ status }) => status === 'completed').length;
  const goal = plan?.goal;
  const children = (
    <>
      {goal !== undefined && <div data-slot="plan-goal">{visible(goal)}</div>}
      <Progress />
      <List />
    </>
  );
  return { state: { goal, steps, done }, own: { 'aria-label': words.plan(), children } };
});

const NONE: readonly StepSpan[] = [];
const planned = ({ data }: RunResult) => ({ plan: data?.plan, all: data?.steps ?? NONE });

function stepsOf(plan: RunSnapshot['plan'], all: readonly StepSpan[]): readonly StepSpan[] {
  if (!plan) return all;
  const byId = new Map(all.map((step) => [step.id, step]));
  return plan.stepIds.flatMap((id) => byId.get(id) ?? []);
}

/** How many steps are done. */
export const Progress = partOf(Planned, 'div', 'plan-progress', ({ state: { done, steps } }, words) => {
  const text = words.planProgress(done, steps.length);
  const range = rangeOf(words.plan(), done, steps.length);
  return { role: 'progressbar', ...range, 'aria-valuetext': text, children: text };
});

/** The steps; `aria-current="step"` is on those that run. */
export const List = partOf(Planned, 'ol', 'plan-list', ({ state }, words) => ({
  children: state.steps.map((step) => (
    <li
      key={step.id}
      data-slot="plan-step"
      data-status={step.status}
      data-agent={step.agentId}
      aria-current={step.status === 'running' ? 'step' : undefined}
    >
      <Line of="plan-step" status={step.status} name={visible(step.name)}>
        {factsOf(step, words, step.error?.message)}
      </Line>
    </li>
  )),
}));
