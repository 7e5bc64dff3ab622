import { useMemo } from 'react';
import type { LogView, ThreadSnapshot } from '../client/index.ts';
import { type Flags, flagged } from './flags.ts';
import { useTelltale } from './provider.ts';
import { type HookOptions, type Selecting, useView, type ViewOptions } from './use-view.ts';

/** A conversation: `data.runs` are all of its runs, by their beginning. */
export interface ThreadResult extends LogView<ThreadSnapshot>, Flags {}

/**
 * Every run of a thread, present and future.
 *
 * @throws {TelltaleError} `invalid_request` for what is no thread id.
 *
 * @example
 * const { data } = useThread(threadId);
 */
export function useThread(threadId: string, options?: HookOptions): ThreadResult;
export function useThread<Slice>(threadId: string, options: HookOptions & Selecting<ThreadResult, Slice>): Slice;
export function useThread<Slice>(threadId: string, options: ViewOptions<ThreadResult, Slice> = {}): Slice {
  const client = useTelltale();
  const store = useMemo(() => client.thread(threadId), [client, threadId]);
  return useView<LogView<ThreadSnapshot>, ThreadResult, Slice>(
    store,
    useMemo(() => flagged(store), [store]),
    options,
  );
}
