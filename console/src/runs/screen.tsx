import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useRuns } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { useTitle } from '../ui/title.ts';

const route = getRouteApi('/');

/** Every run, live. */
export function RunsScreen(): ReactElement {
  const filter = route.useSearch();
  const { data } = useRuns(filter);
  useTitle('Runs');
  return (
    <>
      <h1>Runs</h1>
      <ul>
        {data?.map((run) => (
          <li key={run.runId}>
            {run.status}{' '}
            <Link to="/runs/$runId" params={{ runId: run.runId }}>
              {visible(run.agent)} {run.runId}
            </Link>
          </li>
        ))}
      </ul>
    </>
  );
}
