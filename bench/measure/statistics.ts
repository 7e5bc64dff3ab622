/** Of several repetitions: the middle one, and the extremes. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const half = sorted.length / 2;
  const median = Number.isInteger(half) ? (at(half - 1) + at(half)) / 2 : at(Math.floor(half));
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/** Every contender once per repetition, each repetition beginning with another: what disturbs one disturbs all. */
export function interleaved<T>(contenders: readonly T[], reps: number): { readonly rep: number; readonly it: T }[] {
  return Array.from({ length: reps }, (_, rep) =>
    contenders.map((_, i) => ({ rep, it: contenders[(i + rep) % contenders.length] as T })),
  ).flat();
}

/** The smallest value that is not exceeded by `percent` of all (nearest rank). */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? Number.NaN;
}
