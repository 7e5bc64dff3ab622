import './screen.css';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { useRun } from 'telltale/react';
import {
  Announcer,
  Answer,
  BudgetMeter,
  Commands,
  ConnectionStatus,
  Plan,
  Timeline,
  visible,
} from 'telltale/react/parts';
import { useTitle } from '../ui/title.ts';

const route = getRouteApi('/runs/$runId');

/** One run: what it did, does, and asks. */
export function RunScreen(): ReactElement {
  const { runId } = route.useParams();
  const agent = useRun(runId, { select: ({ data }) => data?.agent });
  useTitle(`${agent ? visible(agent) : 'Run'} ${runId}`);
  return (
    <div className="run">
      <header className="run-header">
        <h1>
          {agent && visible(agent)} <code>{runId}</code>
        </h1>
        <ConnectionStatus.Root runId={runId} />
        <Commands.Root runId={runId} confirm />
      </header>
      <aside className="run-side">
        <Plan.Root runId={runId} />
        <BudgetMeter.Root runId={runId} />
      </aside>
      <section className="run-main">
        <Answer.Root runId={runId} />
        <Timeline.Root runId={runId} className="run-timeline">
          <Timeline.Viewport />
          <Timeline.ToEnd />
        </Timeline.Root>
      </section>
      <Announcer runId={runId} />
    </div>
  );
}
