/**
 * Runs what an agent or a tool consists of: an async function, or a generator whose yields are told as they come.
 */
import { unlessAborted } from './unless-aborted.ts';

/**
 * The result of a body. Each yield goes to `onYield`, which may make the generator wait. Once `signal` is aborted a yield
 * throws its reason into the generator, as `checkpoint` would; a generator that goes on nevertheless is left behind.
 */
export async function drive<R>(
  made: R | Promise<R> | AsyncGenerator<unknown, R, void>,
  onYield: (value: unknown) => Promise<void> | undefined,
  signal: AbortSignal,
): Promise<R> {
  if (!isGenerator<R>(made)) return made as R | Promise<R>;
  for (;;) {
    const step = await made.next();
    if (step.done) return step.value;
    await onYield(step.value);
    if (!signal.aborted) continue;
    const last = await made.throw(signal.reason);
    if (last.done) return last.value;
    leave(made);
    throw signal.reason;
  }
}

/** The values of `source`, until it ends, or until `signal` is aborted, even if the next value never comes. */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void> {
  const iterator = source[Symbol.asyncIterator]();
  let done = false;
  try {
    while (!done) {
      const step = await unlessAborted(() => iterator.next(), signal);
      done = step.done === true;
      if (!step.done) yield step.value;
    }
  } catch (error) {
    // A source that has failed is done with; one that we leave is told.
    done = !signal.aborted;
    throw error;
  } finally {
    if (!done) leave(iterator);
  }
}

/** Lets go of an iterator without waiting: it may be stuck. */
function leave(iterator: AsyncIterator<unknown>): void {
  Promise.resolve()
    .then(() => iterator.return?.())
    .catch(() => undefined);
}

function isGenerator<R>(made: unknown): made is AsyncGenerator<unknown, R, void> {
  if (typeof made !== 'object' || made === null) return false;
  const { next, return: end, throw: fail } = made as Partial<AsyncGenerator>;
  return typeof next === 'function' && typeof end === 'function' && typeof fail === 'function';
}
