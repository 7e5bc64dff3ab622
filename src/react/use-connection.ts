import type { ConnectionView } from '../client/index.ts';
import { type RunResult, useRun } from './use-run.ts';
import type { Selecting } from './use-view.ts';

/** How we are connected to a run, which says nothing of how the run is. */
export interface ConnectionResult extends ConnectionView {
  reconnect(): void;
}

/**
 * The connection to a run. Renders when that changes, not when events come. For a sentence with facts (`lastSeq`,
 * `latest`, `lastEventAt`) select them.
 *
 * @example
 * const { connection, retryAt, reconnect } = useConnection(runId);
 */
export function useConnection(runId: string | undefined): ConnectionResult;
export function useConnection<Slice>(runId: string | undefined, options: Selecting<RunResult, Slice>): Slice;
export function useConnection<Slice>(
  runId: string | undefined,
  options: Selecting<RunResult, Slice | ConnectionResult> = { select: connectionOf },
): Slice | ConnectionResult {
  return useRun(runId, options);
}

const connectionOf = ({ connection, error, attempt, retryAt, reconnect }: RunResult): ConnectionResult => ({
  connection,
  error,
  attempt,
  retryAt,
  reconnect,
});
