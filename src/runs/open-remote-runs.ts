import type { Log, RunRecord } from '../log/index.ts';

/** So many runs are looked at in one go. */
const PAGE = 200;

/** What nobody executes here and has not ended: all that goes on where a process that waited for something died. */
export async function* openRemoteRuns(log: Log): AsyncGenerator<RunRecord> {
  for (const status of ['running', 'paused'] as const) {
    let before: string | undefined;
    do {
      const page = await log.runs.list({ status, limit: PAGE, ...(before !== undefined && { before }) });
      for (const run of page.runs) if (!run.leased) yield run;
      before = page.next;
    } while (before !== undefined);
  }
}
