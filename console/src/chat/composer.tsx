import './composer.css';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type KeyboardEvent, type ReactElement, type RefObject, useState } from 'react';
import type { ListedAgent } from 'telltale/client';
import { useStartRun, useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { useDraft } from './draft.ts';

interface ComposerProps {
  readonly threadId: string;
  /** Whom the last question went to. */
  readonly lastAgent: string | undefined;
  /** A question is being answered. */
  readonly isBusy: boolean;
  readonly input: RefObject<HTMLTextAreaElement | null>;
  readonly onAsked: () => void;
  /** Escape, while nothing else wants it. */
  readonly onEscape: () => void;
}

/** Where a question is written, and to whom. What is typed stays until the server has taken it. */
export function Composer({ threadId, lastAgent, isBusy, input, onAsked, onEscape }: ComposerProps): ReactElement {
  const client = useTelltale();
  const agents = useQuery({ queryKey: ['agents'], queryFn: () => client.agents() });
  const { start, isPending, error } = useStartRun();
  const [draft, setDraft] = useDraft(threadId);
  const [chosen, choose] = useState<string>();
  const agent = pick(agents.data, chosen ?? lastAgent);
  const question = draft.trim();
  const canAsk = question !== '' && !isPending && agents.data?.length !== 0;

  async function ask(): Promise<void> {
    if (!canAsk) return;
    const asked = draft;
    // Who is quick asks before it is known whom.
    const whom = agent ?? pick((await agents.refetch({ cancelRefetch: false })).data, lastAgent);
    const started = whom && (await start({ agent: whom.name, input: question, threadId }));
    if (!started) return;
    // What was typed meanwhile is the next question.
    setDraft((now) => (now === asked ? '' : now));
    input.current?.focus();
    onAsked();
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void ask();
  };
  const press = (event: KeyboardEvent): void => {
    // While an input method composes, keys are its own.
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Escape') onEscape();
    if (event.key !== 'Enter' || event.shiftKey) return;
    event.preventDefault();
    void ask();
  };

  return (
    <form className="composer" onSubmit={submit}>
      {error && (
        <p role="alert" className="problem">
          {problemOf(error)} Your question is kept.{' '}
          <button type="button" onClick={ask} disabled={!canAsk}>
            Retry
          </button>
        </p>
      )}
      <textarea
        ref={input}
        rows={1}
        value={draft}
        placeholder="Ask something…"
        aria-label="Your question"
        aria-describedby="composer-hint"
        aria-keyshortcuts="/ c"
        onChange={({ target }) => setDraft(target.value)}
        onKeyDown={press}
      />
      <div className="composer-row">
        {agents.error ? (
          <span role="alert" className="problem">
            It is not known which agents there are: {visible(agents.error.message)}{' '}
            <button type="button" onClick={() => agents.refetch()}>
              Ask again
            </button>
          </span>
        ) : (
          <AgentChoice agents={agents.data} agent={agent} onChoose={choose} />
        )}
        <span id="composer-hint" className="muted composer-hint">
          {isBusy
            ? 'A question is being answered. The next one begins beside it, or waits for its turn where the server says so.'
            : 'Enter sends. Each question is a run of its own: whether it knows what was said before is up to the agent.'}
        </span>
        <button type="submit" className="primary" disabled={!canAsk}>
          {isPending ? 'Asking…' : 'Send'}
        </button>
      </div>
    </form>
  );
}

interface AgentChoiceProps {
  readonly agents: readonly ListedAgent[] | undefined;
  readonly agent: ListedAgent | undefined;
  readonly onChoose: (name: string) => void;
}

function AgentChoice({ agents, agent, onChoose }: AgentChoiceProps): ReactElement {
  if (agents?.length === 0) return <span>This server has no agents: register one with app.agent(name, fn).</span>;
  return (
    <label className="composer-agent" title={agent?.description}>
      <span className="sr-only">Agent</span>
      <select value={agent?.name ?? ''} onChange={({ target }) => onChoose(target.value)} disabled={!agents}>
        {agents?.map(({ name }) => (
          <option key={name} value={name}>
            {visible(name)}
          </option>
        ))}
      </select>
      {agent?.model !== undefined && <span className="composer-model">{visible(agent.model)}</span>}
    </label>
  );
}

const pick = (agents: readonly ListedAgent[] | undefined, name: string | undefined): ListedAgent | undefined =>
  agents?.find((it) => it.name === name) ?? agents?.[0];

/** Why a question was not taken, and what can be done. */
function problemOf({ code, message }: { readonly code: string; readonly message: string }): string {
  const why = visible(message);
  switch (code) {
    case 'unreachable':
      return `The server does not answer: ${why}`;
    case 'overloaded':
      return `Too many runs wait already: ${why}`;
    case 'agent_not_found':
      return `This agent is not there any more: ${why} Choose another one.`;
    case 'unauthorized':
      return `The server does not know who asks: ${why} Sign in first.`;
    case 'forbidden':
      return `You may not ask here: ${why}`;
    default:
      return `It was not asked: ${why}`;
  }
}
