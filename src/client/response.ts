import { TelltaleError } from '../protocol/index.ts';
import { part } from './part.ts';

/**
 * What a response that is no success means: the server's own problem details where there are any. A server error, a
 * timeout and "slow down" are `unreachable`, which may pass, with `retryAfterMs` where the server asks for it; everything
 * else is final.
 *
 * @throws {TelltaleError} `unreachable` where what reads it could not be loaded.
 */
export const errorOf = async (response: Response): Promise<TelltaleError> =>
  (await part(import('./refusal.ts'))).readRefusal(response);

/**
 * A fetch whose network failures are ours.
 *
 * @throws {TelltaleError} `unreachable`; what `signal` was aborted with.
 */
export async function reach(url: string | URL, init: RequestInit, fetch = globalThis.fetch): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    init.signal?.throwIfAborted();
    throw unreachable(`${new URL(url).origin} does not answer.`, error);
  }
}

export const unreachable = (detail: string, cause?: unknown): TelltaleError =>
  new TelltaleError('unreachable', detail, {}, { cause });
