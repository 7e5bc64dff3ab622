import { useMemo } from 'react';
import type { RunFilter, RunListView } from '../client/index.ts';
import { type Flags, flagged } from './flags.ts';
import { useTelltale } from './provider.ts';
import { type HookOptions, type Selecting, useView, type ViewOptions } from './use-view.ts';

/** A live list of runs, newest first. A run that did not change stays the same object. */
export interface RunListResult extends RunListView, Flags {}

/** `limit`: the newest so many, 50 if absent, at most 200. */
type Filter = RunFilter & { readonly limit?: number };

/**
 * The runs that match, live: what appears, changes or no longer matches is told by the server.
 *
 * @example
 * const { data = [] } = useRuns({ status: 'running' });
 */
export function useRuns(filter?: Filter, options?: HookOptions): RunListResult;
export function useRuns<Slice>(filter: Filter, options: HookOptions & Selecting<RunListResult, Slice>): Slice;
export function useRuns<Slice>(filter: Filter = {}, options: ViewOptions<RunListResult, Slice> = {}): Slice {
  return useListed(filter, itself, options);
}

const itself = (list: RunListResult): RunListResult => list;

/** What `derive`, the same function from render to render, makes of a list. */
export function useListed<Result, Slice>(
  filter: { readonly [Name in keyof Filter]: Filter[Name] | undefined },
  derive: (list: RunListResult) => Result,
  options: ViewOptions<Result, Slice>,
): Slice {
  const client = useTelltale();
  // By what it says: a filter written in place is a new object in every render.
  const key = JSON.stringify(filter);
  const [store, describe] = useMemo(() => {
    const store = client.runs(JSON.parse(key) as Filter);
    const flag = flagged(store);
    return [store, (view: RunListView) => derive(flag(view))];
  }, [client, key, derive]);
  return useView(store, describe, options);
}
