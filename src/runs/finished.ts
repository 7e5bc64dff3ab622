import type { Log } from '../log/index.ts';
import { isEnded, LATENESS_MS, type RunSnapshot } from '../protocol/index.ts';
import type { Runs } from './runs.ts';

/**
 * The snapshot of a run once it has ended. Follows first, then looks: nothing is missed. Wake-ups are hints, so it also
 * looks from time to time.
 */
export async function finished(log: Log, runs: Runs, runId: string, threadId: string): Promise<RunSnapshot> {
  let wake = (): void => {};
  const unfollow = await log.follow(threadId, () => wake());
  try {
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const record = await log.runs.get(runId);
      if (!record || isEnded(record.status)) return await runs.snapshot(runId);
      const timer = setTimeout(wake, LATENESS_MS);
      await woken;
      clearTimeout(timer);
    }
  } finally {
    unfollow();
  }
}
