import { useCallback, useRef, useState } from 'react';
import { newRunId, TelltaleError } from '../protocol/index.ts';

/** What the last request has come to. */
export interface Outcome<Answer> {
  readonly isPending: boolean;
  /** The answer of the last one that succeeded; it stays while the next one is under way. */
  readonly data: Answer | undefined;
  readonly error: TelltaleError | undefined;
}

/** One wish of a person, however often it is said: it has one Idempotency-Key. */
interface Wish<Answer> {
  /** Of whom it is asked, and what. */
  readonly send: unknown;
  readonly said: string;
  readonly key: string;
  result: Promise<Answer | undefined>;
  hasFailed: boolean;
  /** When it was granted, by `performance.now()`. */
  grantedAt: number | undefined;
}

const IDLE = { isPending: false, data: undefined, error: undefined };
/** The second click of a double click comes within so many milliseconds; desktops allow 400 to 500. */
const DOUBLE_CLICK_MS = 500;

/**
 * Sends what people ask for. A double click, and another try after an error, is the same request, under the same key.
 *
 * @param send the same function from render to render; with another one, nothing was asked for yet.
 * @returns the outcome, and what asks: it resolves with the answer, or with `undefined` where there is none.
 */
export function useRequest<Request, Answer>(
  send: (request: Request, idempotencyKey: string) => Promise<Answer>,
): readonly [Outcome<Answer>, (request: Request) => Promise<Answer | undefined>] {
  const last = useRef<Wish<Answer> | undefined>(undefined);
  const [outcome, setOutcome] = useState<{ readonly send: unknown; readonly of: Outcome<Answer> }>({ send, of: IDLE });

  const ask = useCallback(
    (request: Request): Promise<Answer | undefined> => {
      const said = JSON.stringify(request);
      const same = last.current?.said === said && last.current.send === send ? last.current : undefined;
      if (same && isMeant(same)) return same.result;
      const key = same?.hasFailed ? same.key : newRunId();
      const tell = (more: Partial<Outcome<Answer>>): void => {
        if (last.current !== wish) return;
        setOutcome((before) => ({
          send,
          of: { ...(before.send === send ? before.of : IDLE), isPending: false, error: undefined, ...more },
        }));
      };
      const wish: Wish<Answer> = {
        send,
        said,
        key,
        hasFailed: false,
        grantedAt: undefined,
        result: send(request, key).then(
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
    [send],
  );
  return [outcome.send === send ? outcome.of : IDLE, ask];
}

/** It is under way, or was granted so shortly ago that nobody has seen it yet. */
function isMeant({ hasFailed, grantedAt }: Wish<unknown>): boolean {
  return !hasFailed && (grantedAt === undefined || performance.now() - grantedAt < DOUBLE_CLICK_MS);
}
