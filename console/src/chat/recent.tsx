import './recent.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { ListedRun } from 'telltale/client';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { ago, plural } from '../ui/format.ts';
import { Status } from '../ui/status.tsx';

const LOOKED_AT = 100;
const SHOWN = 8;

/** Conversations that went on last, to be continued. */
export function Recent(): ReactElement | null {
  const client = useTelltale();
  const { data } = useQuery({ queryKey: ['recent'], queryFn: () => client.list({ limit: LOOKED_AT, details: true }) });
  const threads = Map.groupBy(data?.runs.filter((it) => it.parentRunId === undefined) ?? [], (it) => it.threadId);
  if (threads.size === 0) return null;
  return (
    <section className="recent" aria-labelledby="recent-title">
      <h2 id="recent-title">Recent conversations</h2>
      <ul>
        {[...threads.values()].slice(0, SHOWN).map((runs) => (
          <Row key={runs[0]?.threadId} runs={runs} />
        ))}
      </ul>
    </section>
  );
}

function Row({ runs }: { runs: readonly ListedRun[] }): ReactElement | null {
  const [newest, oldest] = [runs[0], runs.at(-1)];
  if (!newest) return null;
  const { threadId, agent, status, createdAt } = newest;
  return (
    <li>
      <Link to="/chat/$threadId" params={{ threadId }}>
        {visible(oldest?.title ?? threadId)}
      </Link>
      <span className="muted">
        <Status status={status} /> · {visible(agent)} · {plural(runs.length, 'question')} · {ago(createdAt, Date.now())}{' '}
        ago
      </span>
    </li>
  );
}
