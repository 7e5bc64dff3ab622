import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type KeyboardEvent, type ReactElement, useId, useState } from 'react';
import { useStartRun, useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { Dialog } from '../ui/dialog.tsx';
import { readInput } from '../ui/read-input.ts';

/** What the reference analyst is asked where nobody has a question yet. */
const EXAMPLE = 'What are the risks in this project?';

export function useAgents() {
  const client = useTelltale();
  return useQuery({ queryKey: ['agents'], queryFn: () => client.agents() });
}

/** Starts a run of any agent that the server has, and goes to it. */
export function StartDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }): ReactElement {
  return (
    <Dialog title="Start a run" isOpen={isOpen} onClose={onClose}>
      <StartForm />
      <button type="button" className="quiet" onClick={onClose}>
        Close
      </button>
    </Dialog>
  );
}

export function StartForm(): ReactElement {
  const { data: agents, error: agentsError, isPending: isAsking } = useAgents();
  const { start, isPending, error } = useStartRun();
  const navigate = useNavigate();
  const [chosen, choose] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [agentId, inputId, threadId] = [useId(), useId(), useId()];
  const agent = agents?.find(({ name }) => name === chosen) ?? agents?.[0];

  const submit = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const input = readInput(String(form.get('input')));
    setProblem(input.problem);
    if (!agent || input.problem !== undefined) return;
    const thread = String(form.get('thread')).trim();
    const run = await start({ agent: agent.name, input: input.value, ...(thread !== '' && { threadId: thread }) });
    if (run) await navigate({ to: '/runs/$runId', params: { runId: run.runId } });
  };

  if (agents?.length === 0) {
    return (
      <p>
        No agent is registered on this server. Register one with <code>app.agent(name, fn)</code>, or let a program of
        yours write a run: <code>POST /v1/runs</code> with <code>"mode": "remote"</code>.
      </p>
    );
  }
  return (
    <form className="start" onSubmit={submit}>
      <label htmlFor={agentId}>Agent</label>
      <select
        id={agentId}
        value={agent?.name ?? ''}
        onChange={({ target }) => choose(target.value)}
        disabled={isAsking}
      >
        {agents?.map(({ name }) => (
          <option key={name} value={name}>
            {visible(name)}
          </option>
        ))}
      </select>
      {agent && (
        <p className="muted">
          {agent.description && visible(agent.description)} {agent.model && `Model: ${visible(agent.model)}.`}
        </p>
      )}
      <label htmlFor={inputId}>Input: text, or JSON where it begins with {'{ or ['}</label>
      <textarea
        id={inputId}
        name="input"
        rows={4}
        defaultValue={agent?.name === 'analyst' ? EXAMPLE : ''}
        key={agent?.name}
        onKeyDown={sendOnModEnter}
      />
      <details>
        <summary>In a conversation</summary>
        <label htmlFor={threadId}>Thread id; empty begins a new one</label>
        <input id={threadId} name="thread" pattern="[A-Za-z0-9_\-]{1,32}" title="1 to 32 letters, digits, _ or -" />
      </details>
      {(problem ?? error ?? agentsError) && (
        <p role="alert" className="start-error">
          ✕ {problem ?? visible((error ?? agentsError)?.message ?? '')}
        </p>
      )}
      <button type="submit" className="primary" disabled={isPending || !agent}>
        {isPending ? 'Starting…' : 'Start'}
      </button>
    </form>
  );
}

/** ⌘ or Ctrl with Enter sends a form from a text of several lines. */
function sendOnModEnter(event: KeyboardEvent<HTMLTextAreaElement>): void {
  if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) event.currentTarget.form?.requestSubmit();
}
