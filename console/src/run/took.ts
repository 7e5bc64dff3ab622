import { duration } from '../ui/format.ts';

/** A duration, short ones to the millisecond: most calls are. */
export const tookWords = (ms: number): string => (ms < 100 ? `${Math.round(ms)} ms` : duration(ms));

/** How many milliseconds something took: as its producer measured it, else between its two events. */
export function tookOf(span: {
  readonly durationMs?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
}): number | undefined {
  const { durationMs, startedAt, endedAt } = span;
  if (durationMs !== undefined) return durationMs;
  return startedAt && endedAt ? Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) : undefined;
}
