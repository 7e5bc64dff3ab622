import { type Encoder, type StreamWords, wordsOf } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import {
  type Block,
  endedFrame,
  epochOf,
  formatCursor,
  type RevokedReason,
  type StreamBye,
} from '../protocol/index.ts';
import { openingFrames } from './opening.ts';
import { findRestart, type Start, type StreamRequest } from './start.ts';
import type { Tail } from './tail.ts';
import type { Flushable, Turn } from './turn.ts';
import { joinBytes, type LiveViewer, View, viewKey } from './view.ts';
import { joinBlocks, PAGE_BYTES } from './window.ts';

/** One stream, found and held for a viewer. */
export interface FoundStream {
  readonly request: StreamRequest;
  readonly tail: Tail;
  readonly start: Start;
  /** Of a stream that shares its connection with others: it stands in the stream's own frames. */
  readonly name?: string;
}

/** Whom a reader reads for; it is flushed when there is something to take. */
export interface ReaderOwner extends Flushable {
  fail(error: unknown, threadId: string): void;
}

/** What all readers of a hub share. */
export interface ReaderSurroundings {
  readonly log: Log;
  readonly turn: Turn;
  readonly heartbeatMs: number;
}

/**
 * A place in the log, moving: one stream of a viewer. It reads pages of the log with an encoder of its own until it
 * stands at the log's end; there it joins the live view. There is no queue: what is not taken stays in the log, and a
 * reader that the live window has left behind reads the log again.
 */
export class Reader implements LiveViewer {
  readonly name: string | undefined;
  readonly tail: Tail;
  /** The end was taken: nothing can follow. */
  over = false;
  /** It can go on only with a page of the log: see `fetch`. */
  needsLog = false;
  /** When its owner last took something of it; greater is later. */
  served = 0;
  readonly #around: ReaderSurroundings;
  readonly #owner: ReaderOwner;
  readonly #request: StreamRequest;
  readonly #words: StreamWords;
  /** Under which epoch `#after` was reached. */
  #epoch: string;
  /** Number before the first event that the view can have. */
  #begin: number;
  /** Everything up to here was taken, or is not for this view. */
  #after: number;
  /** Number in the last id that was taken; 0 for none. */
  #lastId: number;
  /** Set while it reads the log; a reader that is live has a view instead. */
  #encoder: Encoder | undefined;
  #view: View | undefined;
  /** Frames of the stream itself that come before anything else. */
  #told: string;
  #fetching = false;
  /** Fetched and not yet taken. */
  #page: readonly Block[] | undefined;
  #caughtUp = false;
  /** Nothing comes after what is told. */
  #atEnd: boolean;

  constructor(around: ReaderSurroundings, { request, tail, start, name }: FoundStream, owner: ReaderOwner) {
    this.#around = around;
    this.#owner = owner;
    this.#request = request;
    this.name = name;
    this.tail = tail;
    this.#epoch = start.head.epoch;
    this.#begin = start.place.begin;
    this.#after = start.place.after;
    this.#lastId = start.lastId;
    this.#encoder = request.dialect.encoder(request.selection, start.place);
    const { dialect, threadId, selection } = request;
    this.#words = wordsOf(dialect, { ...selection, threadId, ...(name !== undefined && { name }) });
    this.#told = openingFrames(request, start, around.heartbeatMs, this.#words, name);
    this.#atEnd = start.over;
  }

  /** It stands at the log's end, and needs no page before it has left its view. */
  get isLive(): boolean {
    return this.#view !== undefined;
  }

  get threadId(): string {
    return this.#request.threadId;
  }

  /** The run it is of; `undefined`: a thread. */
  get runId(): string | undefined {
    return this.#request.selection.runId;
  }

  /** What comes next, up to about a page, as far as it is at hand. */
  take(): Uint8Array {
    const told = this.#told;
    this.#told = '';
    const bytes = this.over || this.#atEnd ? NOTHING : this.#view ? this.#takeLive(this.#view) : this.#takeHistory();
    const end = this.#atEnd && !this.over ? this.#end() : '';
    return told === '' && end === '' ? bytes : joinBytes([utf8(told), bytes, utf8(end)]);
  }

  /**
   * Gets the next page of the log, to be taken then. A log that has changed is told of in its place, with what that
   * means for the viewer.
   */
  async fetch(): Promise<void> {
    this.needsLog = false;
    this.#fetching = true;
    await this.#fetch(this.#encoder!.after);
    this.#fetching = false;
  }

  /** Moves the viewer's cursor over events that are not for its view. */
  progress(): string {
    // Hello and reset come first, and say where that is.
    if (this.#told !== '') return '';
    // After a cut the tail is of another epoch; what this number means there is for the reset to say.
    if (this.#after <= this.#lastId || this.tail.head.epoch !== this.#epoch) return '';
    const frame = this.#words.progress(epochOf(this.tail.head, this.#after), this.#after);
    if (frame !== '') this.#lastId = this.#after;
    return frame;
  }

  /** Of a stream that has its connection to itself. */
  heartbeat(count: number): string {
    const { epoch, last } = this.tail.head;
    return this.#words.heartbeat({ latest: formatCursor(epoch, last), count, time: new Date().toISOString() });
  }

  /** What comes last on its connection. */
  bye(reason: StreamBye['reason']): string {
    return this.#words.bye(reason);
  }

  revoked(reason: RevokedReason): string {
    return this.#words.revoked(reason);
  }

  /** What was fetched may hold what is void now: it is fetched again. */
  forgetPage(): void {
    this.#page = undefined;
  }

  flush(): void {
    this.#owner.flush();
  }

  fail(error: unknown): void {
    this.#owner.fail(error, this.threadId);
  }

  /** The live view has ended, or gone on without this reader. */
  leaveView(): void {
    if (!this.#view) return;
    this.#forsakeView();
    const { dialect, selection } = this.#request;
    const place = { begin: this.#begin, after: this.#after, prev: this.#lastId };
    this.#encoder = dialect.encoder(selection, place);
    this.#around.turn.add(this.#owner);
  }

  /** Lets go of everything. */
  leave(): void {
    this.over = true;
    this.needsLog = false;
    this.#forsakeView();
    this.#encoder = undefined;
    this.#page = undefined;
  }

  #takeLive(view: View): Uint8Array {
    if (this.#after === view.last) return NOTHING;
    const piece = view.read(this.#after);
    if (!piece) {
      this.leaveView();
      return NOTHING;
    }
    this.#after = piece.last;
    this.#lastId = piece.lastId || this.#lastId;
    this.#atEnd = piece.ended;
    if (piece.last < view.last) this.#around.turn.add(this.#owner);
    return piece.bytes;
  }

  #takeHistory(): Uint8Array {
    if (this.#fetching) return NOTHING;
    const blocks = this.#page ?? this.tail.read(this.#epoch, this.#encoder!.after);
    this.#page = undefined;
    this.needsLog = !blocks;
    return blocks ? this.#encode(blocks) : NOTHING;
  }

  #encode(blocks: readonly Block[]): Uint8Array {
    const encoder = this.#encoder!;
    const parts: Uint8Array[] = [];
    let size = 0;
    const merge = this.#request.coalesce ?? true;
    for (const block of merge ? joinBlocks(blocks) : blocks) {
      if (size > 0 && size + block.bytes.length > PAGE_BYTES) break;
      const chunk = encoder.encode(block, PAGE_BYTES, merge);
      parts.push(chunk.bytes);
      size += chunk.bytes.length;
      this.#lastId = chunk.lastId || this.#lastId;
      this.#atEnd = chunk.ended;
      if (chunk.ended || encoder.after < block.last) break;
    }
    // A fold begins further back than its viewer stands.
    this.#after = Math.max(this.#after, encoder.after);
    if (!this.#atEnd) parts.push(utf8(this.progress()));
    if (!this.#atEnd && this.tail.isAtEnd(this.#epoch, encoder.after)) {
      this.#joinView(encoder);
      if (!this.#caughtUp) parts.push(utf8(this.#words.caughtUp(this.#after)));
      this.#caughtUp = true;
    } else this.#around.turn.add(this.#owner);
    return joinBytes(parts);
  }

  async #fetch(after: number): Promise<void> {
    const erased = this.tail.erased.size;
    const hasErased = () => this.tail.erased.size !== erased;
    const page = await this.#around.log.read(this.threadId, after, PAGE_BYTES);
    if (this.over || hasErased()) return;
    const { head } = page;
    if (head.epoch !== this.#epoch || head.first > after + 1) {
      const start = await findRestart(this.#around.log, this.#request, head, this.#epoch, this.#after);
      if (!this.over) this.#restart(start);
      return;
    }
    if (!this.tail.offer(page)) await this.tail.refresh();
    if (!hasErased()) this.#page = page.blocks;
  }

  #restart({ head, place, reset, lastId, over }: Start): void {
    this.#epoch = head.epoch;
    this.#begin = place.begin;
    if (!reset) {
      // What a fold has not come to yet is gone: it begins where the log does now.
      if (this.#encoder!.after < place.begin)
        this.#encoder = this.#request.dialect.encoder(this.#request.selection, place);
      return;
    }
    this.#after = place.after;
    this.#lastId = lastId;
    this.#encoder = this.#request.dialect.encoder(this.#request.selection, place);
    this.#told += this.#words.reset(reset, place.prev, head);
    this.#atEnd = over;
  }

  #joinView(encoder: Encoder): void {
    const key = this.#viewKey();
    const { views } = this.tail;
    const view = views.get(key) ?? new View(encoder, this.#around.turn, this.#request.coalesce ?? false);
    views.set(key, view);
    view.viewers.add(this);
    this.#view = view;
    this.#encoder = undefined;
  }

  #end(): string {
    const progress = this.progress();
    this.leave();
    return this.name === undefined ? progress : `${progress}${endedFrame(this.name)}`;
  }

  #forsakeView(): void {
    const view = this.#view;
    if (!view) return;
    this.#view = undefined;
    view.viewers.delete(this);
    if (view.viewers.size > 0) return;
    const key = this.#viewKey();
    if (this.tail.views.get(key) === view) this.tail.views.delete(key);
  }

  #viewKey(): string {
    const { dialect, selection, coalesce = false } = this.#request;
    return viewKey(dialect, selection, coalesce);
  }
}

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => (text === '' ? NOTHING : encoder.encode(text));
