import { useCallback, useRef, useState } from 'react';
import type { StartedRun, StartRequest } from '../client/index.ts';
import { newRunId, TelltaleError } from '../protocol/index.ts';
import { useTelltale } from './provider.ts';

/** What the last start has come to. */
interface Outcome {
  readonly isPending: boolean;
  /** The run of the last start that succeeded; it stays while the next one is under way. */
  readonly data: StartedRun | undefined;
  readonly error: TelltaleError | undefined;
}

export interface StartRun extends Outcome {
  /** Resolves with the run, or with `undefined` where there is none: `error` says why. */
  start(request: StartRequest): Promise<StartedRun | undefined>;
}

/** One wish of a person for one run, however often it is said: it has one Idempotency-Key. */
interface Wish {
  readonly said: string;
  readonly key: string;
  result: Promise<StartedRun | undefined>;
  hasFailed: boolean;
  /** When it was granted, by `performance.now()`. */
  grantedAt: number | undefined;
}

/** The second click of a double click comes within so many milliseconds; desktops allow 400 to 500. */
const DOUBLE_CLICK_MS = 500;

/**
 * Starts runs. A double click, and another try after an error, is the same start: one run comes of it.
 *
 * @example
 * const { start, isPending, error, data } = useStartRun();
 * <button onClick={() => start({ agent: 'analyst', input })} disabled={isPending}>Ask</button>
 */
export function useStartRun(): StartRun {
  const client = useTelltale();
  const last = useRef<Wish | undefined>(undefined);
  const [outcome, setOutcome] = useState<Outcome>({ isPending: false, data: undefined, error: undefined });

  const start = useCallback(
    (request: StartRequest): Promise<StartedRun | undefined> => {
      const said = JSON.stringify(request);
      const same = last.current?.said === said ? last.current : undefined;
      if (same && isMeant(same)) return same.result;
      const key = same?.hasFailed ? same.key : newRunId();
      const tell = (more: Partial<Outcome>): void => {
        if (last.current === wish) setOutcome((before) => ({ ...before, isPending: false, error: undefined, ...more }));
      };
      const wish: Wish = {
        said,
        key,
        hasFailed: false,
        grantedAt: undefined,
        result: client.start(request, key).then(
          (data) => {
            wish.grantedAt = performance.now();
            tell({ data });
            return data;
          },
          (error: unknown) => {
            wish.hasFailed = true;
            tell({ error: TelltaleError.from(error) });
            return undefined;
          },
        ),
      };
      last.current = wish;
      tell({ isPending: true });
      return wish.result;
    },
    [client],
  );
  return { ...outcome, start };
}

/** It is under way, or was granted so shortly ago that nobody has seen it yet. */
function isMeant({ hasFailed, grantedAt }: Wish): boolean {
  return !hasFailed && (grantedAt === undefined || performance.now() - grantedAt < DOUBLE_CLICK_MS);
}
