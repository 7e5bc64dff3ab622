import { Link } from '@tanstack/react-router';
import { memo, type ReactElement } from 'react';
import type { ListedRun } from 'telltale/client';
import { visible } from 'telltale/react/parts';
import { absolute, count, money, plural, shortId } from '../ui/format.ts';
import { useAgo } from '../ui/now.ts';
import { Status } from '../ui/status.tsx';

/** One run of the list. Renders when the run changes; its age by itself. */
export const Row = memo(({ run }: { run: ListedRun }): ReactElement => {
  const { runId, agent, status, events, createdAt, endedAt, title, step, waiting, errors = 0, cost } = run;
  const last = run.lastAt ?? endedAt ?? createdAt;
  return (
    <tr data-status={status}>
      <td className="runs-status">
        {waiting ? <Status status="paused" word={`${plural(waiting, 'question')}`} /> : <Status status={status} />}
      </td>
      <th scope="row">
        <Link to="/runs/$runId" params={{ runId }} className="runs-link" title={title && visible(title)}>
          <bdi>{visible(title ?? agent)}</bdi>
        </Link>
        <div className="runs-about">
          <bdi>{visible(agent)}</bdi> <code title={runId}>{shortId(runId)}</code>
          {errors > 0 && <span className="runs-errors"> ✕ {plural(errors, 'error')}</span>}
          <span className="runs-narrow"> · {plural(events, 'event')}</span>
        </div>
      </th>
      <td className="runs-wide">
        {step && (
          <>
            <span className="muted">
              {count(step.index)}
              {step.total !== undefined && `/${count(step.total)}`}
            </span>{' '}
            <bdi>{visible(step.name)}</bdi>
          </>
        )}
      </td>
      <td className="runs-number runs-wide">{count(events)}</td>
      <td className="runs-number">
        <Age time={last} />
      </td>
      <td className="runs-number runs-wide">{cost && money(cost.amount, cost.currency)}</td>
    </tr>
  );
});

function Age({ time }: { time: string }): ReactElement {
  return (
    <time dateTime={time} title={absolute(time)}>
      {useAgo(time)}
    </time>
  );
}
