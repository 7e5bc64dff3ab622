import type { Log, RunRecord } from '../log/index.ts';
import type { KnownEvent } from '../protocol/index.ts';

/** Numbers, both exclusive at the bottom and inclusive at the top: `after` < seq <= `through`. */
interface Stretch {
  readonly after: number;
  readonly through?: number;
}

/**
 * The first event of a run, of one of these types and within this stretch of its thread, that `isIt` takes. Only events of
 * these types are parsed. Nothing where there is none, or where it was trimmed.
 */
export async function findEvent<E extends KnownEvent>(
  log: Log,
  { threadId, runId }: Pick<RunRecord, 'threadId' | 'runId'>,
  types: readonly E['type'][],
  { after, through = Number.POSITIVE_INFINITY }: Stretch,
  isIt: (event: E) => boolean,
): Promise<E | undefined> {
  let tail = through;
  for (let position = after; position < tail; ) {
    const { head, blocks } = await log.read(threadId, position);
    // What is appended while this reads is not looked for: the thread may grow faster than it is read.
    tail = Math.min(tail, head.last);
    for (const block of blocks) {
      for (let seq = Math.max(block.first, after + 1); seq <= Math.min(block.last, tail); seq++) {
        const entry = block.entry(seq);
        if (entry.runId !== runId || !types.includes(entry.type as E['type'])) continue;
        const event = block.event(seq) as E;
        if (isIt(event)) return event;
      }
    }
    position = blocks.at(-1)?.last ?? tail;
  }
  return undefined;
}
