import type { RunRecord } from '../log/index.ts';
import type { EventContext } from '../protocol/index.ts';

/** The envelope of what is written of a run now. */
export function eventContext(
  run: Pick<RunRecord, 'threadId' | 'runId'> & { readonly parentRunId?: string | undefined },
): EventContext {
  const { threadId, runId, parentRunId } = run;
  const time = new Date().toISOString();
  return { threadId, runId, time, ...(parentRunId !== undefined && { parentRunId }) };
}
