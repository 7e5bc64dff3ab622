import './recent.css';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { ListedRun } from 'telltale/client';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { ago, plural } from '../ui/format.ts';
import { Status } from '../ui/status.tsx';
import { questionText } from './turn.ts';

const LOOKED_AT = 100;
const SHOWN = 8;

/** Conversations that went on last, to be continued. */
export function Recent(): ReactElement | null {
  const client = useTelltale();
  const { data } = useQuery({ queryKey: ['recent'], queryFn: () => client.list({ limit: LOOKED_AT }) });
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
  const client = useTelltale();
  const [newest, oldest] = [runs[0], runs.at(-1)];
  const { data: question } = useQuery({
    queryKey: ['question', oldest?.runId],
    // The first event of a run says what it was asked; it never changes.
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => {
      const { events } = await client.events(oldest?.runId ?? '', { limit: 1 });
      const { input } = (events[0]?.data ?? {}) as { readonly input?: unknown };
      return questionText(input);
    },
  });
  if (!newest) return null;
  const { threadId, agent, status, createdAt } = newest;
  return (
    <li>
      <Link to="/chat/$threadId" params={{ threadId }}>
        {visible(question || threadId)}
      </Link>
      <span className="muted">
        <Status status={status} /> · {visible(agent)} · {plural(runs.length, 'question')} · {ago(createdAt, Date.now())}{' '}
        ago
      </span>
    </li>
  );
}
