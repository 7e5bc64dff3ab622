import type { ReactElement } from 'react';
import type { AgentSpan } from 'telltale/protocol';
import { useRun } from 'telltale/react';
import { Glyph, visible } from 'telltale/react/parts';
import { perList } from '../ui/per-list.ts';
import { Initials } from './initials.tsx';
import { useLook } from './look.ts';

/** So many are listed; of more, the timeline shows the rest. */
const MAX = 200;
const NONE: readonly AgentSpan[] = [];

/** The agents that were invoked, below those that invoked them. One that is chosen is shown in the timeline. */
export function Agents({ runId }: { readonly runId: string }): ReactElement | null {
  const { event, look } = useLook();
  const agents = useRun(runId, { select: ({ data }) => data?.agents ?? NONE });
  if (agents.length === 0) return null;
  const levels = levelsOf(agents);
  return (
    <section className="agents" aria-labelledby="agents">
      <h2 id="agents">Agents</h2>
      <ul>
        {agents.slice(0, MAX).map((agent, i) => (
          <li key={agent.id} data-level={Math.min(levels[i] ?? 0, 6)}>
            <button
              type="button"
              aria-pressed={event === agent.startSeq}
              onClick={() => look({ event: agent.startSeq })}
            >
              <Glyph status={agent.status} />
              <Initials name={agent.name} />
              <bdi>{visible(agent.name)}</bdi>
              <span className="sr-only"> {agent.status}</span>
            </button>
          </li>
        ))}
      </ul>
      {agents.length > MAX && <p className="muted">and {agents.length - MAX} more, in the timeline</p>}
    </section>
  );
}

/** How deep each stands below the run. */
const levelsOf = perList((agents: readonly AgentSpan[]): readonly number[] =>
  agents.map(({ path }) => path.split('/').length - 1),
);
