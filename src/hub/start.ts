import type { Dialect, Place, Selection } from '../dialects/index.ts';
import type { Log, RunRecord } from '../log/index.ts';
import { type Head, locate, type Position, parseCursor, TelltaleError } from '../protocol/index.ts';

/** What a viewer asks for (PROTOCOL.md section 7). */
export interface StreamRequest {
  readonly dialect: Dialect;
  readonly threadId: string;
  readonly selection: Selection;
  /** As the viewer sent it, whatever it is. Wins over `from`. */
  readonly cursor?: string;
  readonly from?: 'start' | 'now';
  /** Spaces in a comment at the beginning, for proxies that hold the first bytes back. */
  readonly padding?: number;
}

/** Where a stream begins, or goes on after the log changed under it. */
export interface Start {
  readonly head: Head;
  readonly place: Place;
  /** The number in the last id that the viewer has; 0 for none. */
  readonly lastId: number;
  readonly reset?: Position['reset'];
  /** The view's run ended at or before the place: nothing follows. */
  readonly over: boolean;
}

/**
 * Finds where a stream begins. The head is read before the run: a run that ends in between does so after the head, and
 * its end will be streamed.
 *
 * @throws {TelltaleError} `thread_not_found`, `run_not_found`
 */
export async function findStart(log: Log, { threadId, selection, cursor, from }: StreamRequest): Promise<Start> {
  const head = await log.head(threadId);
  if (!head) throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
  const run = await findRun(log, selection);
  const begin = beginOf(head, run);
  if (cursor === undefined) {
    const after = from === 'now' ? head.last : begin;
    return { head, place: { begin, after, prev: after }, lastId: 0, over: isOver(run, after) };
  }
  const parsed = parseCursor(cursor);
  const { after, reset } = locate(parsed, head);
  if (reset || parsed?.k === undefined) return startAfter(head, run, after, reset);
  // Part of event `after` is still to come.
  const start = startAfter(head, run, after - 1, undefined);
  return { ...start, place: { ...start.place, k: parsed.k } };
}

/** Finds where a viewer that has everything up to `after`, as numbered by `epoch`, goes on in a log that has changed. */
export async function findRestart(log: Log, selection: Selection, head: Head, epoch: string, after: number) {
  const run = await findRun(log, selection);
  const position = locate({ epoch, seq: after }, head);
  return startAfter(head, run, position.after, position.reset);
}

function startAfter(head: Head, run: RunRecord | undefined, prev: number, reset: Position['reset']): Start {
  const begin = beginOf(head, run);
  const after = Math.max(begin, prev);
  const place: Place = { begin, after, prev };
  return { head, place, lastId: prev, over: isOver(run, after), ...(reset && { reset }) };
}

async function findRun(log: Log, { runId }: Selection): Promise<RunRecord | undefined> {
  if (runId === undefined) return undefined;
  const run = await log.runs.get(runId);
  if (run) return run;
  throw new TelltaleError('run_not_found', `There is no run ${runId}.`, { runId });
}

const beginOf = (head: Head, run?: RunRecord): number => Math.max(head.first, run?.first ?? 1) - 1;

const isOver = (run: RunRecord | undefined, after: number): boolean => run?.last !== undefined && after >= run.last;
