import type { ReactElement } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { JsonTree } from '../../ui/json-tree.tsx';

/** The fold of the run's events, which is all that the other views show, as JSON. */
export function JsonView({ runId }: { readonly runId: string }): ReactElement {
  const data = useRun(runId, { throttleMs: 1_000, select: dataOf });
  return (
    <section className="panel" aria-label="The run as JSON">
      <p className="muted">
        What GET /v1/runs/{runId} answers: the fold of all events up to number {data?.seq ?? 0}.
      </p>
      <JsonTree name="run" value={data ?? null} />
    </section>
  );
}

const dataOf = ({ data }: RunResult) => data;
