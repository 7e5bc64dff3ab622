/** Where a run stands, as told by its `run.*` events. */
export type RunStatus = 'queued' | 'running' | 'paused' | 'completed' | 'failed' | 'cancelled';

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

/** True for the events that end a run: exactly one of them, and it is the last. */
export function isTerminal(type: string): boolean {
  return type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled';
}

/** True once nothing can follow. */
export function isEnded(status: RunStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}
