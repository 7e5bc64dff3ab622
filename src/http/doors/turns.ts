import { type Dialect, parseRunCursor } from '../../dialects/index.ts';
import { findStart } from '../../hub/index.ts';
import { isTombstone, type Log, type RunRecord, type Tombstone } from '../../log/index.ts';
import { formatCursor, type Head, isEnded, isVoid, locate, parseCursor, TelltaleError } from '../../protocol/index.ts';

/** A run of a conversation, as one stream shows it. */
export interface Turn {
  readonly runId: string;
  /** Where the client stands in it. Empty: it has an id that means nothing here. */
  readonly cursor?: string;
}

/** Where a client of a conversation stands. */
export interface Turns {
  /**
   * The turn to show, once there is one: to be asked until then, each time with the head of the thread, as far as there is
   * one.
   */
  find(head: Head | undefined): Promise<Turn | undefined>;
  /** The id of who waits: a turn that begins while he is cut off is found by it. */
  readonly awaited: string;
}

/** Begins the id of who waits. No run has such an id. */
const AWAITED = '~.';

/** What a run's first event may be. */
const OPENS = new Set(['run.queued', 'run.started']);
const OPEN = ['running', 'paused', 'queued'] as const;

/**
 * Finds the turn that a stream of a conversation shows: the one that its client has an id of, while that has something
 * left to tell; else the one after it, or, without an id, the one under way, or the next. What has begun since is found
 * also where it has ended by then. Runs that others have started (`run.child`) are no turns.
 */
export function turnsOf(log: Log, threadId: string, dialect: Dialect, lastEventId: string | undefined): Turns {
  /** Turns that begin behind this number are still to be looked at. */
  let after: number | undefined;
  let epoch: string | undefined;
  let isLost = false;

  const turn = (runId: string): Turn => (isLost ? { runId, cursor: '' } : { runId });

  async function begin(head: Head): Promise<Turn | undefined> {
    if (lastEventId?.startsWith(AWAITED)) {
      const cursor = parseCursor(lastEventId.slice(AWAITED.length));
      // Without a cursor he waited before there was a thread.
      const position = cursor ? locate(cursor, head) : { after: 0 };
      isLost = position.reset !== undefined;
      after = isLost ? head.last : position.after;
      return undefined;
    }
    const known = lastEventId === undefined ? undefined : parseRunCursor(lastEventId);
    const run = known && (await find(log, known.runId));
    if (!known || run?.threadId !== threadId) {
      isLost = lastEventId !== undefined;
      const open = await findOpen(log, threadId);
      after = head.last;
      return open && turn(open.runId);
    }
    if (!isTombstone(run) && (await tellsMore(log, dialect, run, known.cursor))) return known;
    after = run.first;
    return undefined;
  }

  async function next(head: Head | undefined): Promise<Turn | undefined> {
    // Whatever is first in a thread that is not there yet, is next.
    if (!head) after ??= 0;
    epoch = head?.epoch;
    if (!head) return undefined;
    const found = after === undefined ? await begin(head) : undefined;
    if (found) return found;
    for (let from = Math.min(after ?? 0, head.last); ; ) {
      const { blocks } = await log.read(threadId, from);
      if (blocks.length === 0) return undefined;
      for (const block of blocks) {
        for (let seq = Math.max(block.first, from + 1); seq <= block.last; seq++) {
          after = from = seq;
          const entry = block.entry(seq);
          if (isVoid(entry) || !OPENS.has(entry.type)) continue;
          const run = await find(log, entry.runId);
          if (!run || isTombstone(run) || run.first !== seq || run.parentRunId !== undefined) continue;
          if (await tellsMore(log, dialect, run)) return turn(run.runId);
        }
      }
    }
  }

  return {
    find: next,
    get awaited() {
      return `${AWAITED}${epoch === undefined ? 0 : formatCursor(epoch, after ?? 0)}`;
    },
  };
}

async function find(log: Log, runId: string): Promise<RunRecord | Tombstone | undefined> {
  try {
    return await log.runs.get(runId);
  } catch (error) {
    if (error instanceof TelltaleError && error.code === 'run_deleted') return error.cause as Tombstone;
    throw error;
  }
}

/** The turn that has been open for the longest time. */
async function findOpen(log: Log, threadId: string): Promise<RunRecord | undefined> {
  const lists = await Promise.all(OPEN.map((status) => log.runs.list({ threadId, status, limit: 100 })));
  const turns = lists.flatMap(({ runs }) => runs).filter(({ parentRunId }) => parentRunId === undefined);
  return turns.sort((one, other) => one.first - other.first)[0];
}

/**
 * Whether a client that stands at `cursor` has something left to be told. Where nothing is, its stream would close as soon
 * as it opens, and the client would ask again and again. Of a turn that is over, nothing is told anew.
 */
async function tellsMore(log: Log, dialect: Dialect, run: RunRecord, cursor?: string): Promise<boolean> {
  if (!isEnded(run.status)) return true;
  const { runId, threadId } = run;
  const selection = { runId };
  const start = await findStart(log, { dialect, threadId, selection, ...(cursor !== undefined && { cursor }) });
  if (start.over || start.reset) return false;
  const encoder = dialect.encoder(selection, start.place);
  for (;;) {
    const { blocks } = await log.read(threadId, encoder.after);
    if (blocks.length === 0) return false;
    for (const block of blocks) {
      const { lastId, ended } = encoder.encode(block, Number.POSITIVE_INFINITY);
      if (lastId > 0) return true;
      if (ended) return false;
    }
  }
}
