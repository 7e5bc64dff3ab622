import type { Ack } from '../log/index.ts';
import { TelltaleError } from '../protocol/index.ts';

/** One line of a request that goes on: an event, and where it stands. */
export interface RemoteLine {
  /** Counted from 1. */
  readonly number: number;
  readonly draft: unknown;
}

/**
 * Stores lines as one batch; where that is refused, as two halves of it, and so on: everything before a line that cannot
 * be stored is, wherever the network happened to cut.
 *
 * @throws what `store` throws for that line, or for a reason that is not in the lines.
 */
export async function* storeHalves<A extends Ack>(
  lines: readonly RemoteLine[],
  store: (lines: readonly RemoteLine[]) => Promise<A>,
): AsyncGenerator<A> {
  let refused: unknown;
  try {
    yield await store(lines);
    return;
  } catch (error) {
    refused = error;
  }
  // A retryable failure leaves open whether the batch is stored: no part of it may be sent again without a key.
  if (lines.length === 1 || TelltaleError.from(refused).retryable) throw refused;
  const half = lines.length >> 1;
  yield* storeHalves(lines.slice(0, half), store);
  yield* storeHalves(lines.slice(half), store);
}

/** The acks in their order, those of consecutive numbers as one; then what the first failed one throws. */
export async function* joinConsecutive<A extends Ack>(acks: readonly Promise<A>[]): AsyncGenerator<A> {
  let joined: A | undefined;
  for (const outcome of await Promise.allSettled(acks)) {
    if (outcome.status === 'rejected') {
      if (joined) yield joined;
      throw outcome.reason;
    }
    const ack = outcome.value;
    if (joined && follows(joined, ack)) joined = { ...ack, first: joined.first };
    else {
      if (joined) yield joined;
      joined = ack;
    }
  }
  if (joined) yield joined;
}

const follows = (before: Ack, ack: Ack): boolean =>
  ack.first === before.last + 1 && ack.epoch === before.epoch && ack.duplicate === before.duplicate;
