/** A page on the hooks, written as their document writes it. */
import { type ReactNode, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { useAgentExecution, useAgentSSE, useAgentStore } from './index.ts';

function Agent({ task }: { readonly task: string }): ReactNode {
  const { startExecution, cancelExecution, isExecuting } = useAgentExecution();
  const { currentExecution, thinkingSteps, error } = useAgentStore();
  useAgentSSE(currentExecution?.id);
  const handleStart = async () => {
    console.log('Started:', await startExecution(task));
  };
  return (
    <div>
      <button type="button" id="start" onClick={handleStart} disabled={isExecuting}>
        Start Agent
      </button>
      <button type="button" id="cancel" onClick={cancelExecution} disabled={!isExecuting}>
        Cancel
      </button>
      <ol id="phases">
        {currentExecution?.plan?.phases.map((phase) => (
          <li key={phase.id}>{`${phase.name} ${phase.status}`}</li>
        ))}
      </ol>
      <div id="steps">
        {thinkingSteps.map((step) => (
          <div key={step.id}>{`${step.type} ${step.content}`}</div>
        ))}
      </div>
      {(error || currentExecution?.error) && <p id="error">{error || currentExecution.error}</p>}
      {currentExecution && <output id="status">{currentExecution.status}</output>}
    </div>
  );
}

/** Watches beside the page, with a selection. */
function Beside(): ReactNode {
  const id = useAgentStore((state) => state.currentExecution?.id);
  useAgentSSE(id);
  return <output id="beside">{useAgentStore((state) => state.thinkingSteps.length)}</output>;
}

export const page = {
  mount(task: string): () => void {
    const root = createRoot(document.body.appendChild(document.createElement('main')));
    root.render(
      <StrictMode>
        <Agent task={task} />
        <Beside />
      </StrictMode>,
    );
    return () => root.unmount();
  },
};
