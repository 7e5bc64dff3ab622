import './queue.css';
import { Link } from '@tanstack/react-router';
import { type ReactElement, useId } from 'react';
import { type QueueResult, type RunResult, useQueue, useRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { plural } from '../ui/format.ts';

const standing = ({ data, status, connection }: RunResult) => ({
  isQueued: status === 'queued' && connection !== 'replaying',
  position: data?.position,
});

/** Where a run stands that waits for its turn. Nothing of any other. */
export function Queue({ runId }: { readonly runId: string }): ReactElement | null {
  const { isQueued, position } = useRun(runId, { select: standing });
  return isQueued ? <Line runId={runId} position={position} /> : null;
}

/** So many of those before it are named. */
const NAMED = 5;
const waiting = ({ data }: QueueResult) => data;

function Line({ runId, position }: { readonly runId: string; readonly position: number | undefined }): ReactElement {
  const queue = useQueue({}, { select: waiting }) ?? [];
  const id = useId();
  const own = queue.findIndex((it) => it.runId === runId);
  const before = own < 0 ? [] : queue.slice(0, own);
  return (
    <section className="queue" aria-labelledby={id}>
      <h2 id={id}>Waits for its turn</h2>
      <p>
        {position === undefined
          ? 'How many runs are before it is not told.'
          : position === 0
            ? 'It is next: it begins when one that runs has ended.'
            : `${plural(position, 'run')} before it. It begins by itself; cancelled now, it never does.`}
      </p>
      {before.length > 0 && (
        <ol aria-label="Runs that wait and came before it">
          {before.slice(-NAMED).map((it) => (
            <li key={it.runId}>
              <Link to="/runs/$runId" params={{ runId: it.runId }}>
                <bdi>{visible(it.title ?? it.runId)}</bdi>
              </Link>{' '}
              <span className="muted">{visible(it.agent)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
