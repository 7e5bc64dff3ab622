import { AsyncLocalStorage } from 'node:async_hooks';
import type { RunWriter } from '../protocol/index.ts';

const current = new AsyncLocalStorage<RunWriter>();

/**
 * The writer of the agent in whose async context the caller is, however deep; `undefined` outside of runs.
 *
 * @example
 * // In a tool that no one handed a writer to:
 * currentRun()?.custom('cache', { hit: true });
 */
export function currentRun(): RunWriter | undefined {
  return current.getStore();
}

/** Calls `body` in the async context of a writer: whatever tells something in it, tells it as that writer's agent. */
export function runAs<R>(writer: RunWriter, body: () => R): R {
  return current.run(writer, body);
}
