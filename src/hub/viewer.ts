import { byeFrame, digest, endedFrame, formatCursor, formatPart, streamKey, writeComment } from '../protocol/index.ts';
import type { CompositeIds } from './composite-ids.ts';
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

/**
 * One connection: a sink, and a reader for each stream on it. All that its streams have is handed over in one write per
 * turn of the event loop, and nothing while the sink has enough: nothing waits here but one page of the log.
 */
export class Viewer implements ReaderOwner, Ticking, SinkListener {
  readonly #around: Surroundings;
  readonly #sink: Sink;
  readonly #slot: number;
  /** For several streams; the ids of one alone are those of its frames. */
  readonly #ids: CompositeIds | undefined;
  /** Who was served last comes last: a long history holds nobody back for longer than a page. */
  readonly #readers: Reader[];
  #served = 0;
  /** How many of them are not over. */
  #running: number;
  #fetching = false;
  #waitsForSink = false;
  #over = false;

  constructor(around: Surroundings, streams: readonly FoundStream[], sink: Sink, ids?: CompositeIds) {
    this.#around = around;
    this.#sink = sink;
    this.#ids = ids;
    this.#readers = streams.map((stream) => new Reader(around, stream, this));
    this.#running = streams.length;
    this.#slot = around.heartbeats.add(this);
  }

  get tails(): readonly Tail[] {
    return this.#readers.map(({ tail }) => tail);
  }

  /** Sends what the connection begins with, and whatever there is. */
  begin(frames: string): void {
    this.#sink.open(this, this.#around.stalledMs);
    this.#send(utf8(frames));
  }

  /** Sends what there is to send, as far as the sink takes it. Never throws: other viewers are flushed after this one. */
  flush(): void {
    if (!this.#over && !this.#waitsForSink) this.#send();
  }

  tick(): void {
    if (this.#over || this.#waitsForSink) return;
    const parts = this.#readers.map((reader) => this.#stamp(reader, utf8(reader.progress())));
    this.#write(joinBytes([...parts, utf8(writeComment(`heartbeat ${this.#latest()}`))]));
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
      this.#write(utf8(`${ended}${isLast ? byeFrame('deleted') : ''}`));
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

  #send(first?: Uint8Array): void {
    const parts = first ? [first] : [];
    let size = 0;
    for (const reader of this.#readers) {
      if (size >= PAGE_BYTES) {
        this.#around.turn.add(this);
        break;
      }
      if (reader.over) continue;
      const bytes = this.#take(reader);
      if (this.#over) return;
      if (reader.over) this.#running--;
      if (bytes.length === 0) continue;
      parts.push(bytes);
      size += bytes.length;
      reader.served = ++this.#served;
    }
    if (size > 0 && this.#readers.length > 1) this.#readers.sort((a, b) => a.served - b.served);
    const finished = this.#running === 0;
    if (finished) parts.push(utf8(byeFrame()));
    if (parts.length > 0) this.#write(joinBytes(parts));
    if (finished) this.close();
    else if (!this.#waitsForSink || this.#readers.length > 1) this.#fetch();
  }

  #take(reader: Reader): Uint8Array {
    try {
      return this.#stamp(reader, reader.take());
    } catch (error) {
      this.fail(error, reader.threadId);
      return new Uint8Array(0);
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
    const reader = this.#readers.find(({ needsLog }) => needsLog);
    if (!reader) return;
    this.#fetching = true;
    reader
      .fetch()
      // What came of it is no matter of a stream that was ended meanwhile.
      .catch((error) => reader.over || this.fail(error, reader.threadId))
      .then(() => {
        this.#fetching = false;
        this.flush();
      });
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

  /** Lets go of everything but the sink, which may still have something to send. */
  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#around.heartbeats.remove(this, this.#slot);
    for (const reader of this.#readers) reader.leave();
  }
}

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
