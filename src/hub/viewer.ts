import type { Encoder } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import {
  type Block,
  byeFrame,
  caughtUpFrame,
  epochOf,
  formatCursor,
  progressFrame,
  resetFrame,
  writeComment,
} from '../protocol/index.ts';
import { openingFrames } from './opening.ts';
import type { Sink, SinkListener } from './sink.ts';
import { findRestart, type Start, type StreamRequest } from './start.ts';
import type { Tail } from './tail.ts';
import type { Turn } from './turn.ts';
import { joinBytes, type LiveViewer, View, viewKey } from './view.ts';
import type { Ticking, Wheel } from './wheel.ts';
import { joinBlocks, PAGE_BYTES } from './window.ts';

/** What all viewers of a hub share. */
export interface Surroundings {
  readonly log: Log;
  readonly turn: Turn;
  readonly heartbeats: Wheel;
  readonly heartbeatMs: number;
  readonly stalledMs: number;
  /** Told why a viewer was cut, where it was the server's fault. */
  readonly onError: (error: unknown, threadId: string) => void;
  readonly onClosed: (viewer: Viewer) => void;
}

/**
 * One open stream: a place in the log and a sink. It reads pages of the log with an encoder of its own until it stands
 * at the log's end; there it joins the live view. There is no queue: whatever the sink has no room for stays in the log,
 * and a viewer that the live window has left behind reads the log again.
 */
export class Viewer implements LiveViewer, Ticking, SinkListener {
  readonly tail: Tail;
  readonly #around: Surroundings;
  readonly #request: StreamRequest;
  readonly #sink: Sink;
  readonly #slot: number;
  /** Under which epoch `#after` was reached. */
  #epoch: string;
  /** Number before the first event that the view can have. */
  #begin: number;
  /** Everything up to here was sent, or is not for this view. */
  #after: number;
  /** Number in the last id that was sent; 0 for none. */
  #lastId: number;
  /** Set while it reads the log; a viewer that is live has a view instead. */
  #encoder: Encoder | undefined;
  #view: View | undefined;
  #waitsForLog = false;
  #waitsForSink = false;
  #caughtUp = false;
  #over = false;

  constructor(around: Surroundings, tail: Tail, request: StreamRequest, start: Start, sink: Sink) {
    this.#around = around;
    this.tail = tail;
    this.#request = request;
    this.#sink = sink;
    this.#epoch = start.head.epoch;
    this.#begin = start.place.begin;
    this.#after = start.place.after;
    this.#lastId = start.lastId;
    this.#encoder = request.dialect.encoder(request.selection, start.place);
    this.#slot = around.heartbeats.add(this);
  }

  /** Sends what every stream begins with, and whatever there is. */
  begin(start: Start): void {
    this.#sink.open(this, this.#around.stalledMs);
    this.#write(openingFrames(this.#request, start, this.#around.heartbeatMs));
    if (start.over) this.#finish();
    else this.flush();
  }

  /** Sends what there is to send, as far as the sink takes it. Never throws: other viewers are flushed after this one. */
  flush(): void {
    if (this.#over || this.#waitsForSink || this.#waitsForLog) return;
    try {
      if (this.#view) this.#sendLive(this.#view);
      else this.#sendHistory();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The live view has ended, or gone on without this viewer. */
  leaveView(): void {
    if (!this.#view) return;
    this.#forsakeView();
    const { dialect, selection } = this.#request;
    const place = { begin: this.#begin, after: this.#after, prev: this.#lastId };
    this.#encoder = dialect.encoder(selection, place);
    this.#around.turn.add(this);
  }

  tick(): void {
    if (this.#over || this.#waitsForSink) return;
    const { epoch, last } = this.tail.head;
    this.#write(`${this.#progress()}${writeComment(`heartbeat ${formatCursor(epoch, last)}`)}`);
  }

  drained(): void {
    this.#waitsForSink = false;
    this.#around.turn.add(this);
  }

  closed(): void {
    this.#leave();
    this.#around.onClosed(this);
  }

  /** Ends the stream in the middle; the client comes back with its cursor. */
  close(): void {
    if (this.#over) return;
    this.#leave();
    this.#sink.end();
  }

  #sendLive(view: View): void {
    if (this.#after === view.last) return;
    const piece = view.read(this.#after);
    if (!piece) {
      this.leaveView();
      return;
    }
    this.#after = piece.last;
    this.#lastId = piece.lastId || this.#lastId;
    if (piece.bytes.length > 0) this.#write(piece.bytes);
    if (piece.ended) this.#finish();
    else if (piece.last < view.last) this.#around.turn.add(this);
  }

  #sendHistory(): void {
    const blocks = this.tail.read(this.#epoch, this.#encoder!.after);
    if (blocks) this.#sendPage(blocks);
    else this.#sendFromLog().catch((error) => this.fail(error));
  }

  async #sendFromLog(): Promise<void> {
    this.#waitsForLog = true;
    const blocks = await this.#readLog();
    this.#waitsForLog = false;
    if (this.#over) return;
    if (blocks) this.#sendPage(blocks);
    else this.#around.turn.add(this);
  }

  /** `undefined`: the log has changed; what that means for the viewer was told to it. */
  async #readLog(): Promise<readonly Block[] | undefined> {
    const after = this.#encoder!.after;
    const page = await this.#around.log.read(this.#request.threadId, after, PAGE_BYTES);
    if (this.#over) return undefined;
    const { head } = page;
    if (head.epoch !== this.#epoch || head.first > after + 1) {
      const start = await findRestart(this.#around.log, this.#request.selection, head, this.#epoch, after);
      if (!this.#over) this.#restart(start);
      return undefined;
    }
    if (!this.tail.offer(page)) await this.tail.refresh();
    return page.blocks;
  }

  #restart(start: Start): void {
    const { head, place, reset } = start;
    this.#epoch = head.epoch;
    if (!reset) return;
    this.#begin = place.begin;
    this.#after = place.after;
    this.#lastId = start.lastId;
    this.#encoder = this.#request.dialect.encoder(this.#request.selection, place);
    this.#write(resetFrame(reset, place.prev, head));
    if (start.over) this.#finish();
  }

  #sendPage(blocks: readonly Block[]): void {
    const encoder = this.#encoder!;
    const parts: Uint8Array[] = [];
    let size = 0;
    let ended = false;
    const merge = this.#request.coalesce ?? true;
    for (const block of merge ? joinBlocks(blocks) : blocks) {
      if (size > 0 && size + block.bytes.length > PAGE_BYTES) break;
      const chunk = encoder.encode(block, PAGE_BYTES, merge);
      parts.push(chunk.bytes);
      size += chunk.bytes.length;
      this.#lastId = chunk.lastId || this.#lastId;
      ended = chunk.ended;
      if (ended || encoder.after < block.last) break;
    }
    this.#after = encoder.after;
    const arrived = !ended && this.tail.isAtEnd(this.#epoch, encoder.after);
    if (!ended) parts.push(utf8(this.#progress()));
    if (arrived) {
      this.#joinView(encoder);
      if (!this.#caughtUp) parts.push(utf8(caughtUpFrame(this.#after)));
      this.#caughtUp = true;
    }
    const bytes = joinBytes(parts);
    if (bytes.length > 0) this.#write(bytes);
    if (ended) this.#finish();
    else if (!arrived) this.#around.turn.add(this);
  }

  #joinView(encoder: Encoder): void {
    const key = this.#viewKey();
    const view = this.tail.views.get(key) ?? new View(encoder, this.#around.turn, this.#request.coalesce ?? false);
    this.tail.views.set(key, view);
    view.viewers.add(this);
    this.#view = view;
    this.#encoder = undefined;
  }

  /** Moves the viewer's cursor over events that are not for its view. */
  #progress(): string {
    // After a cut the tail is of another epoch; what this number means there is for the reset to say.
    if (this.#after <= this.#lastId || this.tail.head.epoch !== this.#epoch) return '';
    this.#lastId = this.#after;
    return progressFrame(epochOf(this.tail.head, this.#after), this.#after);
  }

  #write(bytes: Uint8Array | string): void {
    if (this.#over) return;
    this.#waitsForSink = !this.#sink.write(typeof bytes === 'string' ? utf8(bytes) : bytes);
  }

  #finish(): void {
    if (this.#over) return;
    this.#write(`${this.#progress()}${byeFrame()}`);
    this.#leave();
    this.#sink.end();
  }

  /** Cuts the stream, so that the client comes back, and reports why. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#leave();
    this.#sink.abort();
    this.#around.onError(error, this.#request.threadId);
  }

  /** Lets go of everything but the sink, which may still have something to send. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#around.heartbeats.remove(this, this.#slot);
    this.#forsakeView();
    this.#encoder = undefined;
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

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
