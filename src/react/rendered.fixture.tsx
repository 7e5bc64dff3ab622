import type { ReactNode } from 'react';
import type { RunSnapshot } from '../protocol/index.ts';
import { TelltaleProvider, useAgents, useRun, useSuspenseRun, useTimeline } from './index.ts';
import { Timeline } from './parts/index.ts';

/** What a server renders, and a page hydrates, of a run. */
export function Rendered({ snapshot }: { readonly snapshot: RunSnapshot }): ReactNode {
  return (
    <TelltaleProvider url="/">
      <FromServer snapshot={snapshot} />
      <Timeline.Root runId={snapshot.runId} initialSnapshot={snapshot} />
    </TelltaleProvider>
  );
}

function FromServer({ snapshot }: { readonly snapshot: RunSnapshot }): ReactNode {
  const { status, connection, data } = useRun(snapshot.runId, { initialSnapshot: snapshot });
  const { data: waited } = useSuspenseRun(snapshot.runId, { initialSnapshot: snapshot });
  const { rows } = useTimeline(snapshot.runId, { initialSnapshot: snapshot });
  const agents = useAgents(snapshot.runId, { initialSnapshot: snapshot });
  return (
    <main>
      {status} {connection} {data?.seq} {waited.seq} {rows.length} {agents.length}
    </main>
  );
}
