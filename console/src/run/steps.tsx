import type { ReactElement } from 'react';
import { Glyph, Plan, visible } from 'telltale/react/parts';
import { useLook } from './look.ts';
import { tookOf, tookWords } from './took.ts';

/** The plan. A step that is chosen is all that the timeline shows; chosen again, it shows everything. */
export function Steps({ runId }: { readonly runId: string }): ReactElement {
  const { step: chosen, look } = useLook();
  return (
    <Plan.Root runId={runId} className="steps">
      <h2>Plan</h2>
      <Plan.Progress />
      <Plan.List
        render={({ children: _, ...list }, { steps }) => (
          <ol {...list}>
            {steps.map((step, i) => {
              const took = tookOf(step);
              return (
                <li key={step.id} data-slot="plan-step" data-status={step.status}>
                  <button
                    type="button"
                    aria-pressed={chosen === step.id}
                    aria-current={step.status === 'running' ? 'step' : undefined}
                    title={step.error && visible(step.error.message)}
                    onClick={() => look({ step: chosen === step.id ? undefined : step.id })}
                  >
                    <Glyph status={step.status} />
                    <span className="step-number">{i + 1}</span>
                    <bdi>{visible(step.name)}</bdi>
                    <span className="sr-only"> {WORDS[step.status]}</span>
                    <span className="step-took">{took === undefined ? '' : tookWords(took)}</span>
                  </button>
                </li>
              );
            })}
          </ol>
        )}
      />
    </Plan.Root>
  );
}

const WORDS = {
  pending: 'not begun',
  running: 'running',
  completed: 'done',
  failed: 'failed',
  interrupted: 'interrupted',
} as const;
