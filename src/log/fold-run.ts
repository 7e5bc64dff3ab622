import {
  asOneChange,
  type Block,
  emptySnapshot,
  isEnded,
  type RunSnapshot,
  reduce,
  type TelltaleEvent,
} from '../protocol/index.ts';
import type { Log, RunRecord } from './log.ts';

/** The fold of the events that a run has now, read page by page. */
export async function foldRun(log: Log, { runId, threadId, first }: RunRecord): Promise<RunSnapshot> {
  const step = asOneChange(reduce);
  let snapshot = emptySnapshot(runId, threadId);
  let after = first - 1;
  let tail = Number.POSITIVE_INFINITY;
  while (after < tail && !isEnded(snapshot.status)) {
    const { head, blocks } = await log.read(threadId, after);
    // What is appended while this reads belongs to the next snapshot: the thread may grow faster than it is read.
    tail = Math.min(tail, head.last);
    after = blocks.at(-1)?.last ?? tail;
    for (const event of eventsOf(runId, blocks)) snapshot = step(snapshot, event);
  }
  return snapshot;
}

/** The events of one run; those of others in the thread are not even parsed. */
function* eventsOf(runId: string, blocks: readonly Block[]): Generator<TelltaleEvent> {
  for (const block of blocks) {
    for (let seq = block.first; seq <= block.last; seq++) {
      if (block.entry(seq).runId === runId) yield block.event(seq);
    }
  }
}
