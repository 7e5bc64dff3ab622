import type { StreamWords } from '../dialects/index.ts';
import { epochOf, formatCursor, snapshotFrame, writeComment, writeRetry } from '../protocol/index.ts';
import type { Start, StreamRequest } from './start.ts';

/** Milliseconds. Drawn anew for each connection, so that viewers who lost one server do not all return at once. */
const RETRY_MS = { least: 1000, most: 4000 };

/** What every connection begins with (PROTOCOL.md section 6). */
export function connectionFrames(padding = 0): string {
  const { least, most } = RETRY_MS;
  return [
    writeComment('connected'),
    padding ? writeComment(' '.repeat(padding)) : '',
    writeRetry(least + Math.random() * (most - least)),
  ].join('');
}

/** What every stream begins with. `name`: of one that shares its connection. */
export function openingFrames(
  { threadId, selection: { runId } }: StreamRequest,
  { head, place, reset, snapshot }: Start,
  heartbeatMs: number,
  words: StreamWords,
  name?: string,
): string {
  return [
    words.hello({
      ...(name !== undefined && { stream: name }),
      threadId,
      ...(runId !== undefined && { runId }),
      epoch: head.epoch,
      earliest: head.first,
      latest: head.last,
      heartbeatMs,
    }),
    reset ? words.reset(reset, place.prev, head) : '',
    snapshot ? snapshotFrame(formatCursor(epochOf(head, place.after), place.after), snapshot) : '',
  ].join('');
}
