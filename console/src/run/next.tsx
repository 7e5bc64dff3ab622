import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type RunResult, useRun, useStartRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { useErrors } from './errors.ts';

/** What one can do with a run that is over. */
export function Next({ runId }: { readonly runId: string }): ReactElement | null {
  const { agent, threadId, input, mode, isEnded } = useRun(runId, { select: about });
  const { start, isPending, error } = useStartRun();
  const errors = useErrors(runId);
  const navigate = useNavigate();
  if (!isEnded || agent === undefined) return null;
  const again = async (): Promise<void> => {
    const started = await start({ agent, ...(input !== undefined && { input }) });
    if (started) await navigate({ to: '/runs/$runId', params: { runId: started.runId } });
  };
  return (
    <div className="run-next">
      {errors.first !== undefined && (
        <button type="button" onClick={errors.next}>
          Jump to the error <kbd>e</kbd>
        </button>
      )}
      {mode !== 'remote' && (
        <button type="button" onClick={again} aria-disabled={isPending || undefined}>
          {isPending ? 'Starting…' : 'Run again'}
        </button>
      )}
      {threadId !== undefined && (
        <Link to="/chat/$threadId" params={{ threadId }} className="button">
          Open in chat
        </Link>
      )}
      {error && (
        <p role="alert" className="run-refused">
          It was not started: {visible(error.message)}
        </p>
      )}
    </div>
  );
}

const about = ({ data, isEnded }: RunResult) => ({
  agent: data?.agent,
  threadId: data?.threadId,
  input: data?.input,
  mode: data?.mode,
  isEnded,
});
