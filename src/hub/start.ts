import { type Dialect, type Place, type Selection, selects } from '../dialects/index.ts';
import { beginOf, foldRun, type Log, type RunRecord } from '../log/index.ts';
import {
  type CursorPart,
  cursorOfPart,
  type Head,
  isEnded,
  isVoid,
  locate,
  type Position,
  parseCursor,
  type RunSnapshot,
  type StreamRefused,
  TelltaleError,
} from '../protocol/index.ts';
import type { Permit } from './permit.ts';
import { PAGE_BYTES } from './window.ts';

/** What a viewer asks for (PROTOCOL.md section 7). */
export interface StreamRequest {
  readonly dialect: Dialect;
  readonly threadId: string;
  readonly selection: Selection;
  /** As the viewer sent it, whatever it is, or its part of a composite one. Wins over `from`. */
  readonly cursor?: string | CursorPart;
  /** A number below zero: with so many of the view's newest events. `snapshot` is for the views of a run. */
  readonly from?: 'start' | 'now' | 'snapshot' | number;
  /** Whether deltas may come merged; by default in what comes from the log, and not live. */
  readonly coalesce?: boolean;
  /** Spaces in a comment at the beginning, for proxies that hold the first bytes back. */
  readonly padding?: number;
  /** Without one, the viewer may watch for as long as there is something to see. */
  readonly permit?: Permit | undefined;
}

/** Several streams at once: of each what a viewer asks for, under the name that its frames and positions have. */
export interface ManyRequest {
  readonly streams: readonly (Omit<StreamRequest, 'cursor' | 'padding' | 'permit'> & { readonly name: string })[];
  /** What was asked for and is not there, to be told. */
  readonly refused?: readonly StreamRefused[];
  /** A composite one, as the viewer sent it, whatever it is. */
  readonly cursor?: string;
  /** As in `StreamRequest`; for the connection as a whole. */
  readonly padding?: number;
  readonly permit?: Permit | undefined;
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
  /** The fold of all that the run has up to the place. */
  readonly snapshot?: RunSnapshot;
}

/**
 * Finds where a stream begins. The head is read before the run: a run that ends in between does so after the head, and
 * its end will be streamed.
 *
 * @throws {TelltaleError} `thread_not_found`, `run_not_found`
 */
export async function findStart(log: Log, request: StreamRequest): Promise<Start> {
  const { dialect, threadId, selection, cursor, from } = request;
  if (cursor === undefined && from === 'snapshot') return findSnapshot(log, threadId, selection);
  const head = await findHead(log, threadId);
  const run = await findRun(log, selection);
  const begin = beginOf(head, run);
  if (cursor === undefined) {
    let after = from === 'now' ? head.last : begin;
    if (typeof from === 'number') {
      const last = Math.min(head.last, run?.last ?? head.last);
      after = await findNewest(log, threadId, selection, begin, last, -from);
    }
    return { head, place: { begin, after, prev: after }, lastId: 0, over: isOver(run, after) };
  }
  const parsed = typeof cursor === 'string' ? parseCursor(cursor) : cursorOfPart(cursor, head);
  const { after, reset } = locate(parsed, head);
  if (reset) return startAfter(head, run, dialect.startsAnew ? begin : after, reset);
  if (parsed?.k === undefined) return startAfter(head, run, after);
  // Part of event `after` is still to come.
  const start = startAfter(head, run, after - 1);
  return { ...start, place: { ...start.place, k: parsed.k } };
}

/** Folds the run first and asks for the head then, again where the log lost meanwhile what was folded. */
async function findSnapshot(log: Log, threadId: string, selection: Selection): Promise<Start> {
  for (;;) {
    const run = await findRun(log, selection);
    if (!run) throw new TelltaleError('invalid_request', 'A snapshot is of a run; this is the stream of a thread.');
    const snapshot = await foldRun(log, run);
    const head = await findHead(log, threadId);
    const begin = beginOf(head, run);
    const known = snapshot.events > 0 ? locate(snapshot, head) : { after: begin };
    if (known.reset) continue;
    const { after } = known;
    const place: Place = { begin, after, prev: after };
    // A run that the log has forgotten has ended by its record alone.
    const over = isEnded(snapshot.status) || isOver(run, after);
    return { head, place, lastId: after, over, snapshot };
  }
}

/** Finds a place that has the view's newest `count` events up to `last` after it, or all where there are fewer. */
async function findNewest(
  log: Log,
  threadId: string,
  selection: Selection,
  begin: number,
  last: number,
  count: number,
): Promise<number> {
  const passes = selects(selection) ?? ((event) => !isVoid(event));
  let missing = count;
  // No event is looked at twice, and each step is twice the one before: a view with few of many events is found in few steps.
  for (let end = last, span = count; end > begin; span *= 2) {
    const start = Math.max(begin, end - span);
    const found: number[] = [];
    for (let after = start; after < end; ) {
      const { blocks } = await log.read(threadId, after, PAGE_BYTES);
      for (const block of blocks) {
        for (let seq = block.first; seq <= Math.min(block.last, end); seq++) {
          if (passes(block.entry(seq))) found.push(seq);
        }
      }
      after = blocks.at(-1)?.last ?? end;
    }
    if (found.length >= missing) return found[found.length - missing]! - 1;
    missing -= found.length;
    end = start;
  }
  return begin;
}

async function findHead(log: Log, threadId: string): Promise<Head> {
  const head = await log.head(threadId);
  if (head) return head;
  throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
}

/** Finds where a viewer that has everything up to `after`, as numbered by `epoch`, goes on in a log that has changed. */
export async function findRestart(
  log: Log,
  { dialect, selection }: StreamRequest,
  head: Head,
  epoch: string,
  after: number,
): Promise<Start> {
  const run = await findRun(log, selection);
  const position = locate({ epoch, seq: after }, head);
  const isAnew = position.reset !== undefined && dialect.startsAnew;
  return startAfter(head, run, isAnew ? beginOf(head, run) : position.after, position.reset);
}

function startAfter(head: Head, run: RunRecord | undefined, prev: number, reset?: Position['reset']): Start {
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

const isOver = (run: RunRecord | undefined, after: number): boolean => run?.last !== undefined && after >= run.last;
