import { memo, type ReactElement, useCallback } from 'react';
import { type AgentEntry, useAgents } from 'telltale/react';
import { Glyph, visible } from 'telltale/react/parts';
import { count, plural } from '../ui/format.ts';
import { Initials } from './initials.tsx';
import { useLook } from './look.ts';

/** So many are listed; the timeline shows all. */
const MAX = 200;
const MAX_LEVEL = 4;

type Counts = AgentEntry['own'];

/** The agents that were invoked, below those that invoked them. One that is chosen is shown in the timeline. */
export function Agents({ runId }: { readonly runId: string }): ReactElement | null {
  const { event, look } = useLook();
  const agents = useAgents(runId);
  const choose = useCallback((seq: number) => look({ event: seq, show: undefined, step: undefined }), [look]);
  if (agents.length === 0) return null;
  return (
    <section className="agents" aria-labelledby="agents">
      <h2 id="agents">Agents</h2>
      <ul>
        {agents.slice(0, MAX).map((entry) => (
          <Agent key={entry.agent.id} entry={entry} isChosen={event === entry.agent.startSeq} choose={choose} />
        ))}
      </ul>
      {agents.length > MAX && (
        <p className="muted">{plural(agents.length - MAX, 'more agent')}: the timeline has them all.</p>
      )}
    </section>
  );
}

interface AgentProps {
  readonly entry: AgentEntry;
  readonly isChosen: boolean;
  readonly choose: (seq: number) => void;
}

/** Renders when something of the agent changed: beside one that works, hundreds have ended. */
const Agent = memo(
  ({ entry: { agent, depth, own, total }, isChosen, choose }: AgentProps): ReactElement => (
    <li data-level={Math.min(depth, MAX_LEVEL)}>
      <button type="button" aria-pressed={isChosen} title={titleOf(own, total)} onClick={() => choose(agent.startSeq)}>
        <Glyph status={agent.status} />
        <Initials name={agent.name} />
        <bdi>{visible(agent.name)}</bdi>
        <span className="sr-only"> {agent.status}</span>
        <span className="agent-counts">
          {total.errors > 0 && <span className="agent-errors">✕ {count(total.errors)}</span>} {shortOf(total)}
        </span>
      </button>
    </li>
  ),
);

const tokensOf = ({ usage }: Counts): number | undefined => usage?.totalTokens;
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

/** Tokens where they are known, else calls: what there is of it, in a few characters. */
function shortOf(total: Counts): string {
  const tokens = tokensOf(total);
  return tokens === undefined ? plural(total.tools, 'call') : `${compact.format(tokens)} tokens`;
}

function titleOf(own: Counts, total: Counts): string {
  const said = (of: Counts): string => {
    const tokens = tokensOf(of);
    const parts = [plural(of.tools, 'call'), plural(of.errors, 'error')];
    if (tokens !== undefined) parts.push(plural(tokens, 'token'));
    return parts.join(', ');
  };
  return `Itself: ${said(own)}.\nWith the agents it invoked: ${said(total)}.`;
}
