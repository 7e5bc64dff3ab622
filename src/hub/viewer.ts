import {
  byeFrame,
  digest,
  endedFrame,
  formatCursor,
  formatPart,
  type RevokedReason,
  revokedFrame,
  type StreamBye,
  streamKey,
  writeComment,
} from '../protocol/index.ts';
import type { CompositeIds } from './composite-ids.ts';
import type { Permit } from './permit.ts';
import { type FoundStream, Reader, type ReaderOwner, type ReaderSurroundings } from './reader.ts';
import type { Sink, SinkListener } from './sink.ts';
import type { Tail } from './tail.ts';
import { joinBytes } from './view.ts';
import type { Ticking, Wheel } from './wheel.ts';
import { PAGE_BYTES } from './window.ts';

/** What all viewers of a hub share. */
export interface Surroundings extends ReaderSurroundings {
  readonly heartbeats: Wheel;
  readonly stalledMs: number;
  /** Told why a viewer was cut, where it was the server's fault. */
  readonly onError: (error: unknown, threadId: string | undefined) => void;
  readonly onClosed: (viewer: Viewer) => void;
}

/** What a connection has beside its streams. */
export interface ViewerAbout {
  /** For several streams; the ids of one alone are those of its frames. */
  readonly ids?: CompositeIds;
  readonly permit: Permit | undefined;
}

/**
 * One connection: a sink, and a reader for each stream on it. All that its streams have is handed over in one write per
 * turn of the event loop, and nothing while the sink has enough: nothing waits here but one page of the log.
 */
export class Viewer implements ReaderOwner, Ticking, SinkListener {
  readonly #around: Surroundings;
  readonly #sink: Sink;
  readonly #slot: number;
  readonly #ids: CompositeIds | undefined;
  readonly #permit: Permit | undefined;
  /** Who was served last comes last: a long history holds nobody back for longer than a page. */
  readonly #readers: Reader[];
  /** Where there is one alone, as on nearly every connection. */
  readonly #only: Reader | undefined;
  #served = 0;
  #beats = 0;
  /** How many of them are not over. */
  #running: number;
  #fetching = false;
  #waitsForSink = false;
  #over = false;
  #unwatch: (() => void) | undefined;

  constructor(around: Surroundings, streams: readonly FoundStream[], sink: Sink, { ids, permit }: ViewerAbout) {
    this.#around = around;
    this.#sink = sink;
    this.#ids = ids;
    this.#permit = permit;
    this.#readers = streams.map((stream) => new Reader(around, stream, this));
    this.#running = streams.length;
    this.#only = streams.length === 1 ? this.#readers[0] : undefined;
    this.#slot = around.heartbeats.add(this);
  }

  get tails(): readonly Tail[] {
    return this.#readers.map(({ tail }) => tail);
  }

  /** Sends what the connection begins with, and whatever there is. */
  begin(frames: string): void {
    this.#sink.open(this, this.#around.stalledMs);
    this.#unwatch = this.#permit?.watch((reason) => this.#revoked(reason));
    if (!this.#over) this.#send(utf8(frames));
  }

  /** Sends what there is to send, as far as the sink takes it. Never throws: other viewers are flushed after this one. */
  flush(): void {
    if (this.#over || this.#waitsForSink) return;
    // The way of nearly every delivery (measured with 1,600 viewers of a run: 24 ns each, against 32 by `#send`).
    if (this.#only?.isLive) this.#hand(this.#take(this.#only));
    else this.#send();
  }

  tick(): void {
    if (this.#over || this.#waitsForSink) return;
    const parts = this.#readers.map((reader) => this.#stamp(reader, utf8(reader.progress())));
    this.#beats++;
    const beat = this.#only ? this.#only.heartbeat(this.#beats) : writeComment(`heartbeat ${this.#latest()}`);
    this.#write(joinBytes([...parts, utf8(beat)]));
  }

  drained(): void {
    this.#waitsForSink = false;
    this.#around.turn.add(this);
  }

  closed(): void {
    this.#leave();
    this.#around.onClosed(this);
  }

  /**
   * A run's events are void from now on. Its stream is told, and ends; where the connection has not taken all that it was
   * given, it is cut, so that what waits is not sent.
   */
  erased(tail: Tail, runId: string): void {
    for (const reader of this.#readers) {
      if (this.#over || reader.over || reader.tail !== tail) continue;
      reader.forgetPage();
      if (reader.runId !== runId) continue;
      if (this.#waitsForSink) {
        this.#leave();
        this.#sink.abort();
        return;
      }
      reader.leave();
      this.#running--;
      const isLast = this.#running === 0;
      const ended = reader.name === undefined ? '' : endedFrame(reader.name, 'deleted');
      this.#write(utf8(`${ended}${isLast ? this.#bye('deleted') : ''}`));
      if (isLast) this.close();
    }
  }

  /** Ends the connection in the middle; the client comes back with its cursor. */
  close(): void {
    if (this.#over) return;
    this.#leave();
    this.#sink.end();
  }

  /** Cuts the connection, so that the client comes back, and reports why. */
  fail(error: unknown, threadId: string): void {
    if (this.#over) return;
    this.#leave();
    this.#sink.abort();
    this.#around.onError(error, threadId);
  }

  #send(first: Uint8Array = NOTHING): void {
    const taken = this.#only ? this.#take(this.#only) : this.#takeOfAll();
    if (this.#over) return;
    this.#hand(first === NOTHING ? taken : joinBytes([first, taken]));
    if (!this.#over && (!this.#waitsForSink || !this.#only)) this.#fetch();
  }

  /** Hands over what was taken, and ends the connection behind the end of its last stream. */
  #hand(bytes: Uint8Array): void {
    if (this.#running === 0) {
      this.#write(joinBytes([bytes, utf8(this.#bye('ended'))]));
      this.close();
    } else if (bytes.length > 0) this.#write(bytes);
  }

  /** Of several streams: about a page, beginning with who was served nothing for the longest time. */
  #takeOfAll(): Uint8Array {
    const parts: Uint8Array[] = [];
    let size = 0;
    for (const reader of this.#readers) {
      if (size >= PAGE_BYTES) {
        this.#around.turn.add(this);
        break;
      }
      const bytes = this.#take(reader);
      if (this.#over) return NOTHING;
      if (bytes.length === 0) continue;
      parts.push(bytes);
      size += bytes.length;
      reader.served = ++this.#served;
    }
    if (size > 0) this.#readers.sort((a, b) => a.served - b.served);
    return joinBytes(parts);
  }

  #take(reader: Reader): Uint8Array {
    if (reader.over) return NOTHING;
    try {
      const bytes = this.#stamp(reader, reader.take());
      if (reader.over) this.#running--;
      return bytes;
    } catch (error) {
      this.fail(error, reader.threadId);
      return NOTHING;
    }
  }

  #stamp(reader: Reader, frames: Uint8Array): Uint8Array {
    return this.#ids && frames.length > 0 ? this.#ids.stamp(reader.name!, frames) : frames;
  }

  /**
   * One page at a time, for whoever was served nothing for the longest time. Of several streams also while the sink is
   * full: those that always have something would leave no turn to one that asks the log first.
   */
  #fetch(): void {
    if (this.#fetching) return;
    const reader = this.#readers.find(needsLog);
    if (!reader) return;
    const mayGoOn = this.#permit?.mayGoOn() ?? true;
    if (mayGoOn === false) return;
    this.#fetching = true;
    // Without a permit that takes time, as it was: no promise more for each page.
    const fetched = mayGoOn === true ? reader.fetch() : mayGoOn.then(() => (reader.over ? undefined : reader.fetch()));
    fetched
      // What came of it is no matter of a stream that was ended meanwhile.
      .catch((error) => reader.over || this.fail(error, reader.threadId))
      .then(() => {
        this.#fetching = false;
        this.flush();
      });
  }

  #bye(reason: StreamBye['reason']): string {
    return this.#only ? this.#only.bye(reason) : byeFrame(reason);
  }

  /** The tails of its threads, as a cursor. */
  #latest(): string {
    return this.#readers
      .map(({ name, tail: { head } }) =>
        name === undefined
          ? formatCursor(head.epoch, head.last)
          : formatPart({ key: streamKey(name), epoch: digest(head.epoch), seq: head.last }),
      )
      .join('');
  }

  #write(bytes: Uint8Array): void {
    this.#waitsForSink = !this.#sink.write(bytes);
  }

  /**
   * Whoever watches may do so no more. Where the connection has not taken all that it was given, it is cut, so that what
   * waits is not sent: on its way back the client is told why.
   */
  #revoked(reason: RevokedReason): void {
    if (this.#over) return;
    const isWaiting = this.#waitsForSink;
    if (!isWaiting) this.#write(utf8(this.#only?.revoked(reason) ?? revokedFrame(reason)));
    this.#leave();
    if (isWaiting) this.#sink.abort();
    else this.#sink.end();
  }

  /** Lets go of everything but the sink, which may still have something to send. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#around.heartbeats.remove(this, this.#slot);
    this.#unwatch?.();
    for (const reader of this.#readers) reader.leave();
  }
}

const needsLog = (reader: Reader): boolean => reader.needsLog;
const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
