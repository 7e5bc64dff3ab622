import { createHash } from 'node:crypto';
import { isEnded, TelltaleError } from '../protocol/index.ts';
import type { RunRecord, Tombstone } from './log.ts';

/** All that a store can know of a run id that was given out. */
export type KnownRun = RunRecord | Tombstone;

export const isTombstone = (run: KnownRun): run is Tombstone => 'deletedAt' in run;
export const isAlive = (run: KnownRun): run is RunRecord => !isTombstone(run);

/** The run, where there is one. @throws {TelltaleError} `run_deleted`, where there was one. */
export function checkAlive<Run extends KnownRun>(run: Run | undefined): Exclude<Run, Tombstone> | undefined {
  if (!run || !isTombstone(run)) return run as Exclude<Run, Tombstone> | undefined;
  const { runId, deletedAt } = run;
  const detail = `Run ${runId} was deleted at ${deletedAt}; its id is not given out again.`;
  throw new TelltaleError('run_deleted', detail, { runId, deletedAt }, { cause: run });
}

/** What a deletion leaves of an owner: a digest that is another one for each run, so that marks of one owner differ. */
export function ownerMark({ runId, owner, tenant }: Pick<RunRecord, 'runId' | 'owner' | 'tenant'>): string {
  const named = JSON.stringify(['telltale owner', runId, tenant ?? null, owner ?? null]);
  return createHash('sha256').update(named).digest('base64url');
}

/**
 * Decides `Retention.erase`, the same in every store: what is to be left of the run. Of one that was erased before, the
 * tombstone that it has.
 *
 * @throws {TelltaleError} `run_not_found`, `run_open`.
 */
export function tombstoneOf(run: KnownRun | undefined, runId: string): Tombstone {
  if (!run) throw new TelltaleError('run_not_found', `There is no run ${runId}.`, { runId });
  if (isTombstone(run)) return run;
  const { threadId, first, last, status } = run;
  if (last === undefined || !isEnded(status)) {
    throw new TelltaleError(
      'run_open',
      `Run ${runId} has not ended (${status}). Cancel it, or end it with a terminal event, then delete it.`,
      {
        runId,
        status,
      },
    );
  }
  const mark = run.owner === undefined ? {} : { ownerMark: ownerMark(run) };
  return { runId, threadId, first, last, deletedAt: new Date().toISOString(), ...mark };
}
