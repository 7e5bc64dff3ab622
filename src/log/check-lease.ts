import { isEnded, TelltaleError } from '../protocol/index.ts';
import { checkAlive, type KnownRun } from './tombstone.ts';

/**
 * Decides `Leases.renew`, the same in every store.
 *
 * @throws {TelltaleError} `run_not_found`, `run_deleted`, `lease_fenced`, `run_closed`.
 */
export function checkLease(known: KnownRun | undefined, runId: string, fence: number): void {
  const run = checkAlive(known);
  if (!run) throw new TelltaleError('run_not_found', `There is no run ${runId}.`, { runId });
  if (run.fence !== fence) {
    throw new TelltaleError('lease_fenced', `Lease ${fence} on run ${runId} has passed on.`, { runId });
  }
  if (isEnded(run.status)) {
    throw new TelltaleError('run_closed', `Run ${runId} has ended (${run.status}).`, { runId });
  }
}
