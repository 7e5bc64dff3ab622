import { useState } from 'react';
import type { ListedRun } from 'telltale/client';

export interface Arrivals {
  readonly shown: readonly ListedRun[];
  /** Runs that came since: they wait, so that no row moves under the reader's hand. */
  readonly waiting: number;
  show(): void;
}

const NONE: readonly ListedRun[] = [];

/** A live list that does not jump: newest first, without those that came after it was looked at, until they are asked for. */
export function useArrivals(runs: readonly ListedRun[] = NONE): Arrivals {
  const [newest, setNewest] = useState<string>();
  const latest = runs[0]?.createdAt;
  // What comes to an empty list moves nothing.
  if (newest === undefined && latest !== undefined) setNewest(latest);
  const limit = newest ?? latest ?? '';
  const first = runs.findIndex(({ createdAt }) => createdAt <= limit);
  const waiting = first < 0 ? runs.length : first;
  return { shown: waiting === 0 ? runs : runs.slice(waiting), waiting, show: () => setNewest(latest) };
}
