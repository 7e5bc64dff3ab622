/** What every run index shares: the order of its lists, which runs a query means, and the place between two pages. */
import { type RunStatus, TelltaleError } from '../protocol/index.ts';
import type { RunQuery, RunRecord } from './log.ts';

/** A run's place in a list. */
export type RunPlace = Pick<RunRecord, 'createdAt' | 'runId'>;

/** Orders oldest first; no two runs share a place. */
export function comparePlaces(a: RunPlace, b: RunPlace): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.runId < b.runId ? -1 : a.runId > b.runId ? 1 : 0;
}

/** Whether a query means this run; `before` and `limit` are the list's business. */
export function matchesQuery(query: RunQuery, run: RunRecord): boolean {
  return (
    (query.owner === undefined || run.owner === query.owner) &&
    (query.tenant === undefined || (run.tenant ?? '') === query.tenant) &&
    (query.status === undefined || statusesOf(query.status).includes(run.status)) &&
    (query.agent === undefined || run.agent === query.agent) &&
    (query.threadId === undefined || run.threadId === query.threadId) &&
    (query.since === undefined || run.createdAt > query.since) &&
    (query.until === undefined || run.createdAt < query.until)
  );
}

/** Those that a query means, each once. */
export const statusesOf = (status: RunStatus | readonly RunStatus[]): readonly RunStatus[] =>
  typeof status === 'string' ? [status] : [...new Set(status)];

export const formatPlace = ({ createdAt, runId }: RunPlace): string =>
  Buffer.from(`${createdAt} ${runId}`).toString('base64url');

/** @throws {TelltaleError} `invalid_cursor` for anything that `formatPlace` did not write. */
export function parsePlace(text: string): RunPlace {
  const match = /^(\S{1,40}) ([A-Za-z0-9_-]{1,32})$/.exec(Buffer.from(text, 'base64url').toString());
  if (match) return { createdAt: match[1] as string, runId: match[2] as string };
  throw new TelltaleError('invalid_cursor', 'before must be what "next" of an earlier page said');
}
