import { useMemo } from 'react';
import type { About, CommandOutcome, RunView } from '../client/index.ts';
import { isEnded } from '../protocol/index.ts';
import { type Flags, flagged } from './flags.ts';
import { type OpenedRun, type RunSource, useRunStore } from './run-source.ts';
import { type HookOptions, type Selecting, useView, type ViewOptions } from './use-view.ts';

/** A run's view, with what components ask of it most. */
export interface RunResult extends RunView, Flags {
  /** The run is over, whatever the connection does. */
  readonly isEnded: boolean;
  /** Asks for the run to be cancelled. Leaving a run never cancels it. Without a run it does nothing. */
  cancel(about?: About): Promise<CommandOutcome | undefined>;
}

/**
 * `from: 'snapshot'` begins with the server's fold, however long the run is. `initialSnapshot` is what a server rendered
 * (`await client.snapshot(runId)`): the first render shows it, in the browser too, and the stream goes on after it.
 */
export interface RunHookOptions extends HookOptions, RunSource {}

/**
 * One run, live. Connected while a component shows it, and for a second after; over one connection, however many do.
 * `data` stays through cuts; errors are told, not thrown. Without a run id there is nothing, until there is one.
 *
 * @example
 * const { status, data, connection } = useRun(runId);
 * const status = useRun(runId, { select: (run) => run.status });
 */
export function useRun(runId: string | undefined, options?: RunHookOptions): RunResult;
export function useRun<Slice>(runId: string | undefined, options: RunHookOptions & Selecting<RunResult, Slice>): Slice;
export function useRun<Slice>(
  runId: string | undefined,
  options: RunHookOptions & ViewOptions<RunResult, Slice> = {},
): Slice {
  return useRunView(useRunStore(runId, options), itself, options);
}

export const itself = (run: RunResult): RunResult => run;

/**
 * What `derive` makes of a run, or the part of that which `select` names.
 *
 * @param derive the same function from render to render; what it makes of the same it gives again.
 */
export function useRunView<Result, Slice = Result>(
  { run, store }: OpenedRun,
  derive: (run: RunResult) => Result,
  options: ViewOptions<Result, Slice>,
): Slice {
  const describe = useMemo(() => {
    const flag = flagged(run);
    const cancel: RunResult['cancel'] = async (about) => run?.cancel(about);
    return (view: RunView) =>
      derive({ ...flag(view), isEnded: view.status !== 'pending' && isEnded(view.status), cancel });
  }, [run, derive]);
  return useView(store, describe, options);
}
