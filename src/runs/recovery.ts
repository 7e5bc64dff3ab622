import { setTimeout as sleep } from 'node:timers/promises';
import type { Log, RunRecord } from '../log/index.ts';
import { type ErrorInfo, encodeEvent, TelltaleError } from '../protocol/index.ts';
import { eventContext } from './event-context.ts';

const lost = (message: string): ErrorInfo => ({ code: 'executor_lost', message, retryable: true });
const LOST = lost('The process that ran this agent is gone.');
const SILENT = lost('The producer of this run appended nothing until its lease ran out.');

/** How such a run may have ended all the same, meanwhile. */
const ENDED_OTHERWISE = new Set(['run_closed', 'already_decided', 'lease_fenced', 'run_not_found', 'run_deleted']);
const RETRY_MS = 200;

/**
 * Ends every run whose lease ran out; how many these were. Tries for `patienceMs` where the log is away.
 *
 * @param onEnded told of each that has ended, by this or otherwise.
 */
export async function endLostRuns(log: Log, patienceMs: number, onEnded: (runId: string) => void): Promise<number> {
  const runs = await log.leases.takeExpired();
  const ended = await Promise.all(
    runs.map(async (run) => {
      const isOurs = await endLostRun(log, run, performance.now() + patienceMs);
      onEnded(run.runId);
      return isOurs;
    }),
  );
  return ended.filter(Boolean).length;
}

/** False where it had ended. A second attempt after an unknown outcome is refused by `once`, so there is one end only. */
async function endLostRun(log: Log, run: RunRecord, giveUpAt: number): Promise<boolean> {
  const { runId, threadId, fence } = run;
  const event = encodeEvent({ type: 'run.failed', data: { error: run.leased ? LOST : SILENT } }, eventContext(run));
  for (let attempt = 1; ; attempt++) {
    try {
      await log.append(threadId, [event], { runId, fence, closes: true, once: `end:${runId}` });
      return true;
    } catch (thrown) {
      const error = TelltaleError.from(thrown);
      // After an attempt with an unknown outcome, the end that is there may well be ours.
      if (ENDED_OTHERWISE.has(error.code)) return attempt > 1 && error.code === 'already_decided';
      if (!error.retryable || performance.now() > giveUpAt) throw error;
    }
    await sleep(RETRY_MS);
  }
}
