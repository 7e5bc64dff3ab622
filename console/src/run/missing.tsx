import type { ReactElement, ReactNode } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { TroublePanel } from '../ui/trouble.tsx';

/** Trying again changes nothing about these. */
const FINAL: ReadonlySet<string> = new Set(['run_not_found', 'run_deleted', 'invalid_request']);

/** In place of a run of which nothing can be shown: why, and what one can do. `children` where there is something. */
export function Missing({ runId, children }: { readonly runId: string; readonly children: ReactNode }): ReactNode {
  const { isPending, connection, error, reconnect } = useRun(runId, { select: trouble });
  if (!isPending) return children;
  if (!error && connection !== 'offline') return children;
  return (
    <>
      <h1 className="sr-only">Run</h1>
      {error ? <TroublePanel error={error} {...(!FINAL.has(error.code) && { retry: reconnect })} /> : <NoNetwork />}
    </>
  );
}

function NoNetwork(): ReactElement {
  return (
    <section className="panel trouble" role="alert">
      <h2>There is no network</h2>
      <p>This page goes on by itself as soon as it is back.</p>
    </section>
  );
}

const trouble = ({ isPending, connection, error, reconnect }: RunResult) => ({
  isPending,
  connection,
  error,
  reconnect,
});
