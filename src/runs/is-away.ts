import { TelltaleError } from '../protocol/index.ts';

/** True for a failure of a log that may be back soon; one that was closed will not be. */
export function isAway(thrown: unknown): boolean {
  const { retryable, code } = TelltaleError.from(thrown);
  return retryable && code !== 'log_closed';
}
