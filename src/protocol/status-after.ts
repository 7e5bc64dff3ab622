import type { RunStatus } from './lifecycle.ts';

const STATUS_AFTER: ReadonlyMap<string, RunStatus> = new Map([
  ['run.queued', 'queued'],
  ['run.started', 'running'],
  ['run.resumed', 'running'],
  ['run.paused', 'paused'],
  ['run.completed', 'completed'],
  ['run.failed', 'failed'],
  ['run.cancelled', 'cancelled'],
]);

/** The status an event brings about; `undefined` for events that leave it as it is. */
export function statusAfter(type: string): RunStatus | undefined {
  return STATUS_AFTER.get(type);
}
