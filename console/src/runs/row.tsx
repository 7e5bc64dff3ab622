import { Link } from '@tanstack/react-router';
import { memo, type ReactElement } from 'react';
import type { ListedRun } from 'telltale/client';
import { visible } from 'telltale/react/parts';
import { absolute, count, plural } from '../ui/format.ts';
import { useAgo } from '../ui/now.ts';
import { Status } from '../ui/status.tsx';

/** Ids are long: the end of one tells it from its neighbours. */
const short = (id: string): string => (id.length > 10 ? id.slice(-8) : id);

/** One run of the list. Renders when the run changes; its age by itself. */
export const Row = memo(({ run }: { run: ListedRun }): ReactElement => {
  const { runId, agent, status, events, createdAt, endedAt } = run;
  const last = endedAt ?? createdAt;
  return (
    <tr data-status={status}>
      <td className="runs-status">
        <Status status={status} />
      </td>
      <th scope="row">
        <Link to="/runs/$runId" params={{ runId }} className="runs-link">
          <bdi>{visible(agent)}</bdi>
        </Link>
        <div className="runs-about">
          <code title={runId}>{short(runId)}</code>
          <span className="runs-narrow"> · {plural(events, 'event')}</span>
        </div>
      </th>
      <td className="runs-number runs-wide">{count(events)}</td>
      <td className="runs-number">
        <Age time={last} />
      </td>
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
