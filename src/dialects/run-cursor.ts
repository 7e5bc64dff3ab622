/**
 * Ids of doors whose address does not name the run: `<runId>.<epoch>.<seq>[.<k>]`, at most 64 characters (PROTOCOL.md
 * section 4). A reconnect that repeats the first request goes on in the same run by it, and starts no second one.
 */
import { ID_PATTERN } from '../protocol/index.ts';

export interface RunCursor {
  readonly runId: string;
  /** As `Last-Event-ID` of a stream that names the run. */
  readonly cursor: string;
}

export const formatRunCursor = (runId: string, cursor: string): string => `${runId}.${cursor}`;

/** `undefined` for what names no run. The cursor in it may still be none. */
export function parseRunCursor(text: string): RunCursor | undefined {
  const dot = text.indexOf('.');
  const runId = text.slice(0, dot);
  return dot > 0 && ID_PATTERN.test(runId) ? { runId, cursor: text.slice(dot + 1) } : undefined;
}
