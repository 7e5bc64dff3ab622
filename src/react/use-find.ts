import { useMemo, useSyncExternalStore } from 'react';
import type { Found } from './found.ts';
import { later } from './parts/later.ts';
import { still } from './readable.ts';
import { type RunSource, useRunStore } from './run-source.ts';

/** Loaded as soon as a component is there that can look. */
const useCode = later(() => import('./find.ts'));
const NOTHING = still<Found>({ matches: [], isSearching: false });
const LOADING = still<Found>({ matches: [], isSearching: true });

/**
 * Finds a text in what a run tells: thinking, messages, tools with their arguments and results, errors, questions, names of
 * agents and steps. Capitals, and forms of characters that mean the same, count as the same. A run of any length is looked
 * through in slices of a few milliseconds, and what comes is looked at as it comes.
 *
 * @example
 * const { matches, isSearching } = useFind(runId, text);
 * <Timeline.Root runId={runId} reveal={matches[at]?.rowKey} />
 */
export function useFind(runId: string | undefined, text: string, options: RunSource = {}): Found {
  const { store } = useRunStore(runId, options);
  const code = useCode();
  const found = useMemo(() => (text ? (code?.find(store, text) ?? LOADING) : NOTHING), [code, store, text]);
  return useSyncExternalStore(found.subscribe, found.getSnapshot, found.getServerSnapshot);
}
