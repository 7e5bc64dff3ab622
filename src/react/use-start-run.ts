import type { StartedRun, StartRequest } from '../client/index.ts';
import { useTelltale } from './provider.ts';
import { type Outcome, useRequest } from './use-request.ts';

/** `data`: the run of the last start that succeeded. */
export interface StartRun extends Outcome<StartedRun> {
  /** Resolves with the run, or with `undefined` where there is none: `error` says why. */
  start(request: StartRequest): Promise<StartedRun | undefined>;
}

/**
 * Starts runs. A double click, and another try after an error, is the same start: one run comes of it.
 *
 * @example
 * const { start, isPending, error, data } = useStartRun();
 * <button onClick={() => start({ agent: 'analyst', input })} disabled={isPending}>Ask</button>
 */
export function useStartRun(): StartRun {
  const [outcome, start] = useRequest(useTelltale().start);
  return { ...outcome, start };
}
