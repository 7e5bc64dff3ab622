/** True for the events that end a run: exactly one of them, and it is the last. */
export function isTerminal(type: string): boolean {
  return type === 'run.completed' || type === 'run.failed' || type === 'run.cancelled';
}
