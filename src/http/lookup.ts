import type { Log, RunRecord } from '../log/index.ts';
import { type Head, isId, TelltaleError } from '../protocol/index.ts';

/** @throws {TelltaleError} `run_deleted`; `run_not_found`, for what cannot be an id too. */
export async function findRun(log: Log, runId: string): Promise<RunRecord> {
  const record = isId(runId) ? await log.runs.get(runId) : undefined;
  if (record) return record;
  throw runNotFound(runId);
}

/** @throws {TelltaleError} `thread_not_found`, for what cannot be an id too. */
export async function findThread(log: Log, threadId: string): Promise<Head> {
  const head = isId(threadId) ? await log.head(threadId) : undefined;
  if (head) return head;
  throw threadNotFound(threadId);
}

export const runNotFound = (runId: string): TelltaleError =>
  new TelltaleError('run_not_found', `There is no run ${quoted(runId)} here. GET /v1/runs lists those there are.`);

export const threadNotFound = (threadId: string): TelltaleError =>
  new TelltaleError(
    'thread_not_found',
    `There is no thread ${quoted(threadId)} here. A thread begins with its first run.`,
  );

const quoted = (id: string): string => JSON.stringify(id.slice(0, 64));
