/** How many milliseconds something took: as its producer measured it, else between its two events. Absent before its end. */
export function durationOf(span: {
  readonly durationMs?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
}): number | undefined {
  const { durationMs, startedAt, endedAt } = span;
  return durationMs ?? (startedAt && endedAt ? Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)) : undefined);
}
