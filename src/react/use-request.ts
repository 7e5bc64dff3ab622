import { useCallback, useEffect, useRef, useState } from 'react';
import { TelltaleError } from '../protocol/index.ts';
import type { Wish } from './wish.ts';

/** What the last request has come to. */
export interface Outcome<Answer> {
  readonly isPending: boolean;
  /** The answer of the last one that succeeded; it stays while the next one is under way. */
  readonly data: Answer | undefined;
  readonly error: TelltaleError | undefined;
}

const IDLE = { isPending: false, data: undefined, error: undefined };

/** Comes after the page and before anybody clicks; where it did not come, it is asked for again with the click. */
const load = () => import('./wish.ts');
let wishes: Awaited<ReturnType<typeof load>> | undefined;

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
  useEffect(() => {
    load().then(
      (loaded) => {
        wishes = loaded;
      },
      () => {},
    );
  }, []);

  const ask = useCallback(
    async (request: Request): Promise<Answer | undefined> => {
      const tell = (more: Partial<Outcome<Answer>>): void =>
        setOutcome((before) => ({
          send,
          of: { ...(before.send === send ? before.of : IDLE), isPending: false, error: undefined, ...more },
        }));
      if (wishes) return wishes.ask(last, send, request, tell);
      tell({ isPending: true });
      try {
        return (await load()).ask(last, send, request, tell);
      } catch (error) {
        tell({ error: TelltaleError.from(error, 'unreachable') });
        return undefined;
      }
    },
    [send],
  );
  return [outcome.send === send ? outcome.of : IDLE, ask];
}
