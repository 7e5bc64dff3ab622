import { useMutation } from '@tanstack/react-query';
import type { ReactElement } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { useTelltale } from 'telltale/react';
import { visible } from 'telltale/react/parts';

/** Stops a run that goes on, or lets a paused one go on. What comes of it is told by the log. */
export function RunButtons({ runId, status }: { runId: string; status: RunSnapshot['status'] }): ReactElement {
  const client = useTelltale();
  const ask = useMutation({ mutationFn: (what: 'cancel' | 'resume') => client.run(runId)[what]() });
  return (
    <>
      {ask.error && (
        <span role="alert" className="problem">
          That did not get through: {visible(ask.error.message)}
        </span>
      )}
      {status === 'paused' && (
        <button type="button" onClick={() => ask.mutate('resume')} disabled={ask.isPending}>
          Resume
        </button>
      )}
      <button type="button" onClick={() => ask.mutate('cancel')} disabled={ask.isPending}>
        Stop
      </button>
    </>
  );
}
