import type { RefObject } from 'react';
import { newRunId, TelltaleError } from '../protocol/index.ts';
import type { Outcome } from './use-request.ts';

/** One wish of a person, however often it is said: it has one Idempotency-Key. */
export interface Wish<Answer> {
  /** Of whom it is asked, and what. */
  readonly send: unknown;
  readonly said: string;
  readonly key: string;
  result: Promise<Answer | undefined>;
  /** Until when the same, asked for again, is this one, by `performance.now()`: while it is under way, and a moment after. */
  until: number;
}

/** The second click of a double click comes within so many milliseconds; desktops allow 400 to 500. */
const DOUBLE_CLICK_MS = 500;
const FAILED = 0;

/** Sends what is asked for, unless it is the wish from before; what comes of the last one is told. */
export function ask<Request, Answer>(
  last: RefObject<Wish<Answer> | undefined>,
  send: (request: Request, idempotencyKey: string) => Promise<Answer>,
  request: Request,
  tell: (more: Partial<Outcome<Answer>>) => void,
): Promise<Answer | undefined> {
  const said = JSON.stringify(request);
  const same = last.current?.said === said && last.current.send === send ? last.current : undefined;
  if (same && performance.now() < same.until) return same.result;
  const key = same?.until === FAILED ? same.key : newRunId();
  const tellOfLast: typeof tell = (more) => {
    if (last.current === wish) tell(more);
  };
  const wish: Wish<Answer> = {
    send,
    said,
    key,
    until: Number.POSITIVE_INFINITY,
    result: send(request, key).then(
      (data) => {
        wish.until = performance.now() + DOUBLE_CLICK_MS;
        tellOfLast({ data });
        return data;
      },
      (error: unknown) => {
        wish.until = FAILED;
        tellOfLast({ error: TelltaleError.from(error) });
        return undefined;
      },
    ),
  };
  last.current = wish;
  tell({ isPending: true });
  return wish.result;
}
