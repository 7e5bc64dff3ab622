import type { RunView } from '../client/index.ts';
import { type RunSnapshot, TelltaleError } from '../protocol/index.ts';
import type { Readable } from './readable.ts';
import { useRunStore } from './run-source.ts';
import { itself, type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import type { Selecting, ViewOptions } from './use-view.ts';

/** A run of which something is known. */
export interface SuspenseRunResult extends RunResult {
  readonly data: RunSnapshot;
}

/** Who was given up while it waited is not told. One that still waits asks again, and stays connected meanwhile. */
const PATIENCE_MS = 30_000;
const waiting = new WeakMap<object, Promise<void>>();

/**
 * `useRun` for Suspense: waits for the first snapshot, and never again, however often the connection is lost. A server
 * renders it from `initialSnapshot`, or leaves it to the browser.
 *
 * @throws {TelltaleError} to the error boundary: why nothing can be known of the run.
 *
 * @example
 * <Suspense fallback="Loading…"><Answer runId={runId} /></Suspense>
 * const { data } = useSuspenseRun(runId);
 */
export function useSuspenseRun(runId: string, options?: Omit<RunHookOptions, 'enabled'>): SuspenseRunResult;
export function useSuspenseRun<Slice>(
  runId: string,
  options: Omit<RunHookOptions, 'enabled'> & Selecting<SuspenseRunResult, Slice>,
): Slice;
export function useSuspenseRun<Slice>(
  runId: string,
  options: Omit<RunHookOptions, 'enabled'> & Partial<Selecting<SuspenseRunResult, Slice>> = {},
): Slice {
  const opened = useRunStore(runId, options);
  const { store } = opened;
  const { data, connection, error } = store.getSnapshot();
  if (!data) {
    if (typeof document === 'undefined') {
      throw new TelltaleError('invalid_option', 'On a server, useSuspenseRun needs initialSnapshot.');
    }
    if (connection === 'closed') throw error;
    throw firstSnapshot(store);
  }
  return useRunView(opened, itself, options as ViewOptions<RunResult, Slice>);
}

/** Connects, and resolves when there is something to show or to throw; the same promise for all who wait. */
function firstSnapshot(store: Readable<RunView>): Promise<void> {
  const known = waiting.get(store);
  if (known) return known;
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clearTimeout(timer);
    waiting.delete(store);
    resolve();
    leave();
  };
  const timer = setTimeout(done, PATIENCE_MS);
  const leave = store.subscribe(() => {
    const { data, connection } = store.getSnapshot();
    if (data || connection === 'closed') done();
  });
  waiting.set(store, promise);
  return promise;
}
