import type { ReplayResult } from 'telltale/react/replay';

/** What the line is made of: how much was read, and what the run has by now. */
export type Extent = Pick<ReplayResult, 'first' | 'last' | 'loaded' | 'total' | 'isLoading' | 'place' | 'seqAt'> & {
  /** The number of the run's newest event. */
  readonly newest: number;
};

/** The line that one drags along: 0 is the first event of the run, 1 what is now. */
export interface Line {
  /** How much of it was read. What comes behind is laid out by numbers alone. */
  readonly read: number;
  at(seq: number): number;
  seqAt(fraction: number): number;
}

export function lineOf({ first, last, loaded, total, isLoading, place, seqAt, newest }: Extent): Line {
  const read = isLoading ? Math.min(0.99, loaded / Math.max(1, total)) : 1;
  const length = place(last);
  const rest = Math.max(1, newest - last);
  const within = (value: number): number => Math.min(1, Math.max(0, value));
  return {
    read,
    at(seq) {
      if (seq > last && isLoading) return read + (1 - read) * within((seq - last) / rest);
      return seq >= last ? read : length > 0 ? (read * place(seq)) / length : 0;
    },
    seqAt(fraction) {
      const wanted = within(fraction);
      if (wanted > read) return Math.round(last + (rest * (wanted - read)) / (1 - read));
      return Math.max(first, read > 0 ? seqAt((length * wanted) / read) : 0);
    },
  };
}
