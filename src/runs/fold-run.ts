import type { Log, RunRecord } from '../log/index.ts';
import { emptySnapshot, isTerminal, type RunSnapshot, reduce } from '../protocol/index.ts';

/** The fold of the events that a run has now, read page by page. */
export async function foldRun(log: Log, { runId, threadId, first }: RunRecord): Promise<RunSnapshot> {
  let snapshot = emptySnapshot(runId, threadId);
  let after = first - 1;
  let tail = Number.POSITIVE_INFINITY;
  while (after < tail) {
    const { head, blocks } = await log.read(threadId, after);
    // What is appended while this reads belongs to the next snapshot: the thread may grow faster than it is read.
    tail = Math.min(tail, head.last);
    if (blocks.length === 0) break;
    for (const block of blocks) {
      for (let seq = Math.max(block.first, after + 1); seq <= block.last; seq++) {
        const entry = block.entry(seq);
        if (entry.runId !== runId) continue;
        snapshot = reduce(snapshot, block.event(seq));
        if (isTerminal(entry.type)) return snapshot;
      }
      after = Math.max(after, block.last);
    }
  }
  return snapshot;
}
