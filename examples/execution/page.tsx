/** The page on the hooks of the execution door: plan, steps, and what came of it. */
import { type FormEvent, type ReactNode, StrictMode, useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import {
  type AgentPhase,
  type ThinkingStep,
  useAgentExecution,
  useAgentSSE,
  useAgentStore,
} from 'telltale/react/execution';
import type { Built } from './builder.ts';

/** Written by the server: a model, or `rules, no LLM`. */
declare const ANSWERED_BY: string;

/** The execution is in the address: a reload, or another tab, watches the same. */
const idInAddress = (): string => location.hash.slice(1);

function Page(): ReactNode {
  const { startExecution, cancelExecution, isExecuting } = useAgentExecution();
  const { currentExecution, error } = useAgentStore();
  const [id, setId] = useState(idInAddress);
  useAgentSSE(id);
  useEffect(() => {
    const change = () => setId(idInAddress());
    addEventListener('hashchange', change);
    return () => removeEventListener('hashchange', change);
  }, []);

  const start = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const task = String(new FormData(event.currentTarget).get('task'));
    // Where it could not be started, `error` says why.
    location.hash = await startExecution(task).catch(() => '');
  };
  const isDone = currentExecution?.status === 'completed';
  return (
    <>
      <header>
        <h1>Have a page written</h1>
        <p>An agent plans it, and writes it from the documents of a folder. Answered by: {ANSWERED_BY}</p>
      </header>
      <main>
        <aside>
          <form onSubmit={start}>
            <label>
              Task <input name="task" defaultValue="What is promised to viewers" required maxLength={2000} />
            </label>
            <button type="submit" disabled={isExecuting}>
              Start
            </button>
            <button type="button" onClick={cancelExecution} disabled={!isExecuting}>
              Cancel
            </button>
            <p role="alert">{error}</p>
          </form>
          <Plan phases={currentExecution?.plan?.phases ?? []} />
        </aside>
        <div>
          <Steps />
          {isDone && <Result {...(currentExecution.result as Built)} duration={currentExecution.duration ?? 0} />}
        </div>
      </main>
    </>
  );
}

/** Never by colour alone: a sign and the word. */
const SIGNS = { pending: '○', running: '●', completed: '✓', failed: '✕' } as const;

function Plan({ phases }: { readonly phases: readonly AgentPhase[] }): ReactNode {
  return (
    <section aria-labelledby="plan">
      <h2 id="plan">Plan</h2>
      {phases.length === 0 && <p className="muted">None yet</p>}
      <ol id="phases">
        {phases.map(({ id, name, status }) => (
          <li key={id} data-status={status}>
            {SIGNS[status]} {name} <span>{status}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const KINDS = { thinking: 'thought', tool_use: 'tool', tool_result: 'result' } as const;

function Steps(): ReactNode {
  const steps = useAgentStore((state) => state.thinkingSteps);
  return (
    <section aria-labelledby="steps-title">
      <h2 id="steps-title">Steps</h2>
      {steps.length === 0 && <p className="muted">Nothing was done yet.</p>}
      <ol id="steps">
        {steps.map((step) => (
          <Step key={step.id} {...step} />
        ))}
      </ol>
    </section>
  );
}

function Step({ type, content, duration }: ThinkingStep): ReactNode {
  return (
    <li data-type={type}>
      <span className="muted">{KINDS[type]}</span>
      <span className="text">{content}</span>
      {duration !== undefined && <span className="muted figures">{Math.round(duration)} ms</span>}
    </li>
  );
}

function Result({ page, sources, duration }: Built & { readonly duration: number }): ReactNode {
  return (
    <section aria-labelledby="result">
      <h2 id="result">The page</h2>
      <p className="muted">
        <a href={page}>Open it</a> · from {sources.join(', ')} · {(duration / 1000).toFixed(1)} s
      </p>
      <iframe title="The page that was written" src={page} sandbox="allow-same-origin" />
    </section>
  );
}

createRoot(document.body).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
