import type { RunSnapshot } from 'telltale/protocol';
import { useRun } from 'telltale/react';
import { perList } from '../ui/per-list.ts';
import { useLook } from './look.ts';

/** Everything that went wrong in a run, and the way from one to the next. */
export interface Errors {
  readonly count: number;
  /** The number of the first one's event; absent where nothing went wrong. */
  readonly first: number | undefined;
  /** Looks at the one after what is looked at, and after the last one at the first. */
  readonly next: () => void;
  readonly previous: () => void;
}

const NONE: readonly number[] = [];

export function useErrors(runId: string): Errors {
  const { event = 0, show, look } = useLook();
  const seqs = useRun(runId, { select: ({ data }) => (data ? seqsOf(data.errors) : NONE) });
  const go = (seq: number | undefined): void => {
    // What is left out cannot be shown.
    if (seq !== undefined) look({ event: seq, step: undefined, ...(show !== 'errors' && { show: undefined }) });
  };
  return {
    count: seqs.length,
    first: seqs[0],
    next: () => go(seqs.find((seq) => seq > event) ?? seqs[0]),
    previous: () => go(seqs.findLast((seq) => seq < event) ?? seqs.at(-1)),
  };
}

/** The numbers of the events that told of errors, in order. */
const seqsOf = perList((errors: RunSnapshot['errors']): readonly number[] => errors.map(({ seq }) => seq));
