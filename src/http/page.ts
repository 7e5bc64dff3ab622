/** Pages of events: the same events that a stream delivers, for whoever asks instead of listening. */
import type { News } from '../hub/index.ts';
import { beginOf, type Log, type Page, type RunRecord } from '../log/index.ts';
import {
  type Block,
  epochOf,
  formatCursor,
  type Head,
  isTerminal,
  isVoid,
  locate,
  parseCursor,
  TelltaleError,
} from '../protocol/index.ts';
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

/** Waits at a place of the log, as `Hub.wait` does. */
type Wait = (place: { readonly epoch: string; readonly after: number }) => Promise<News>;

/**
 * The page of a thread, or of one run in it, as JSON: `{events, cursor, more}`, and `ended` of a run. With `wait`, a page
 * that would be empty, and need not stay so, waits for its first event.
 *
 * @throws {TelltaleError} `thread_not_found`, `invalid_cursor`.
 */
export async function readPage(
  log: Log,
  threadId: string,
  query: PageQuery,
  run?: RunRecord,
  wait?: Wait,
): Promise<string> {
  const head = await findThread(log, threadId);
  const after = query.after === undefined ? beginOf(head, run) : resume(query.after, head);
  const page = new EventsPage(head, after, query.limit, run);
  while (page.hasRoom && page.after < page.head.last) {
    if (!page.take(await log.read(threadId, page.after))) return page.json();
  }
  while (wait && page.isEmpty && page.isAtTail) {
    const news = await wait({ epoch: page.head.epoch, after: page.after });
    if (news === 'over' || !page.take(news === 'look' ? await log.read(threadId, page.after) : news)) break;
  }
  return page.json();
}

/** A page that is being filled. */
class EventsPage {
  head: Head;
  /** Everything up to here was taken, or is not for this page. */
  after: number;
  readonly #limit: number;
  readonly #run: RunRecord | undefined;
  readonly #events: string[] = [];
  #taken = 0;
  #scanned = 0;
  #ended: boolean;

  constructor(head: Head, after: number, limit: number, run: RunRecord | undefined) {
    this.head = head;
    this.after = after;
    this.#limit = limit;
    this.#run = run;
    this.#ended = run?.last !== undefined && after >= run.last;
  }

  get hasRoom(): boolean {
    return !this.#isFull && this.#scanned < SCAN_BYTES;
  }

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  /** Nothing follows yet. */
  get isAtTail(): boolean {
    return !this.#ended && this.after >= this.head.last;
  }

  /** False: the log was cut while it was read. What was taken stands under the old epoch; the next request is told. */
  take({ head, blocks }: Page): boolean {
    if (head.epoch !== this.head.epoch || head.first > this.after + 1) return false;
    this.head = head;
    for (const block of blocks) this.#takeBlock(block);
    return true;
  }

  json(): string {
    const { head, after } = this;
    const cursor = formatCursor(epochOf(head, after), after);
    const more = !this.#ended && after < head.last;
    const ended = this.#run ? `,"ended":${this.#ended}` : '';
    return `{"events":[${this.#events.join(',')}],"cursor":"${cursor}","more":${more}${ended}}`;
  }

  get #isFull(): boolean {
    return this.#ended || this.#events.length >= this.#limit || this.#taken >= PAGE_BYTES;
  }

  #takeBlock(block: Block): void {
    for (let seq = Math.max(block.first, this.after + 1); seq <= block.last && !this.#isFull; seq++) {
      const entry = block.entry(seq);
      const { type, runId, start, end } = entry;
      this.after = seq;
      this.#scanned += end - start;
      if (isVoid(entry) || (this.#run && runId !== this.#run.runId)) continue;
      this.#events.push(decoder.decode(block.json(seq)));
      this.#taken += end - start;
      this.#ended = this.#run !== undefined && isTerminal(type);
    }
  }
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
