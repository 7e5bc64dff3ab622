/** Pages of events: the same events that a stream delivers, for whoever asks instead of listening. */
import { beginOf, type Log, type RunRecord } from '../log/index.ts';
import { epochOf, formatCursor, type Head, isTerminal, locate, parseCursor, TelltaleError } from '../protocol/index.ts';
import { findThread } from './lookup.ts';

/** A page ends after about so many bytes of events. */
const PAGE_BYTES = 1024 * 1024;
/** And after so many bytes of the log, so that a run with few events in a long thread costs no more. */
const SCAN_BYTES = 8 * PAGE_BYTES;

export interface PageQuery {
  /** A cursor. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * The page of a thread, or of one run in it, as JSON: `{events, cursor, more}`, and `ended` of a run.
 *
 * @throws {TelltaleError} `thread_not_found`, `invalid_cursor`.
 */
export async function readPage(log: Log, threadId: string, query: PageQuery, run?: RunRecord): Promise<string> {
  const events: string[] = [];
  let head = await findThread(log, threadId);
  let position = query.after === undefined ? beginOf(head, run) : resume(query.after, head);
  let taken = 0;
  let scanned = 0;
  let ended = run?.last !== undefined && position >= run.last;

  while (!ended && events.length < query.limit && taken < PAGE_BYTES && scanned < SCAN_BYTES) {
    const page = await log.read(threadId, position);
    // Cut while it was read: what was taken stands under the old epoch, and the next request is told.
    if (page.head.epoch !== head.epoch || page.head.first > position + 1) break;
    head = page.head;
    if (page.blocks.length === 0) break;
    for (const block of page.blocks) {
      for (let seq = Math.max(block.first, position + 1); seq <= block.last; seq++) {
        if (ended || events.length >= query.limit || taken >= PAGE_BYTES) break;
        const { type, runId, start, end } = block.entry(seq);
        position = seq;
        scanned += end - start;
        if (run && runId !== run.runId) continue;
        events.push(decoder.decode(block.json(seq)));
        taken += end - start;
        ended = run !== undefined && isTerminal(type);
      }
    }
  }
  const cursor = formatCursor(epochOf(head, position), position);
  const more = !ended && position < head.last;
  return `{"events":[${events.join(',')}],"cursor":"${cursor}","more":${more}${run ? `,"ended":${ended}` : ''}}`;
}

const decoder = new TextDecoder();

/** @throws {TelltaleError} `invalid_cursor`: a page has no way to say "void what you hold" but to refuse. */
function resume(after: string, head: Head): number {
  const cursor = parseCursor(after);
  // One of several frames of an event was seen: the event as a whole is yet to come.
  const whole = cursor?.k === undefined ? cursor : { epoch: cursor.epoch, seq: cursor.seq - 1 };
  const { reset, after: position } = locate(whole, head);
  if (!reset) return position;
  throw new TelltaleError(
    'invalid_cursor',
    `after: this log cannot go on from there (${reset.reason}). Ask again without it, and forget what you hold beyond event ${reset.shared}.`,
    { ...reset, earliest: head.first, latest: head.last },
  );
}
