import type { Head } from '../protocol/index.ts';
import type { RunRecord } from './log.ts';

/** The number before the first event that a reader of a thread, or of one run in it, can have. */
export function beginOf(head: Head, run?: RunRecord): number {
  return Math.max(head.first, run?.first ?? 1) - 1;
}
