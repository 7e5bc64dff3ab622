import { TelltaleError, TIMEOUT_SECONDS } from '../protocol/index.ts';

/** How long and how many at once; of one agent, or of all together. */
export interface RunLimits {
  /** Seconds that a run may take, 1 to 86,400, not counting while it is queued or paused. Then it ends as `timed_out`. */
  readonly timeout?: number;
  /** How many runs may be under way at once. More wait as `queued`, first come, first served. */
  readonly concurrency?: number;
}

/** @throws {TelltaleError} `invalid_option` */
export function checkRunLimits({ timeout, concurrency }: RunLimits): void {
  checkTimeout(timeout, 'invalid_option');
  checkCount('concurrency', concurrency, 1);
}

/** @throws {TelltaleError} `code` */
export function checkTimeout(timeout: number | undefined, code: 'invalid_option' | 'invalid_request'): void {
  const { least, most } = TIMEOUT_SECONDS;
  if (timeout === undefined || (timeout >= least && timeout <= most)) return;
  throw new TelltaleError(code, `timeout: ${timeout} is no number of seconds from ${least} to ${most}.`);
}

/** @throws {TelltaleError} `invalid_option` */
export function checkCount(name: string, count: number | undefined, least: number): void {
  if (count === undefined || (Number.isInteger(count) && count >= least)) return;
  throw new TelltaleError('invalid_option', `${name}: ${count} is no whole number from ${least} on.`);
}
