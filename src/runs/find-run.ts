import type { Log, RunRecord } from '../log/index.ts';
import { isId, TelltaleError } from '../protocol/index.ts';

/** @throws {TelltaleError} `run_not_found`, for what cannot be an id too; `run_deleted`. */
export async function findRun(log: Log, runId: string): Promise<RunRecord> {
  // What cannot be an id is not looked up: stores make keys and file names of ids.
  const run = isId(runId) ? await log.runs.get(runId) : undefined;
  if (run) return run;
  throw runNotFound(runId);
}

export const runNotFound = (runId: string): TelltaleError =>
  new TelltaleError('run_not_found', `There is no run ${JSON.stringify(runId.slice(0, 64))} here.`);
