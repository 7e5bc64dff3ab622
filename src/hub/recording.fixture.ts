/** A client of the native dialect that writes down what it was given, for the history checker. */
import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import type { Log } from '../log/index.ts';
import type { Block, StreamReset, TelltaleEvent } from '../protocol/index.ts';
import type { HistoryRecord, SeenEvent } from '../testing/history-checker.ts';
import type { Sink, SinkListener } from './index.ts';

const now = () => performance.now();

/** What several viewers and a producer did, in order. */
export class Recording {
  readonly records: HistoryRecord[] = [];

  /** Writes down an acknowledgement. */
  async acked(log: Log, threadId: string, ack: { first: number; last: number }): Promise<void> {
    const at = now();
    const { blocks } = await log.read(threadId, ack.first - 1, Number.POSITIVE_INFINITY);
    for (const block of blocks) this.block(block, at, ack.last);
  }

  /** Writes down that a block, up to event `last`, was acknowledged. */
  block(block: Block, at = now(), last = block.last): void {
    for (let seq = block.first; seq <= Math.min(last, block.last); seq++) {
      this.records.push({ at, what: 'acked', event: seen(new TextDecoder().decode(block.json(seq))) });
    }
  }

  viewer(name: string): RecordedViewer {
    return new RecordedViewer(name, this.records);
  }
}

/** One viewer over all its connections. */
export class RecordedViewer {
  readonly name: string;
  /** The last id it was given: what a browser sends back. */
  cursor: string | undefined;
  readonly frames: EventSourceMessage[] = [];
  comments: string[] = [];
  retry: number | undefined;
  #records: HistoryRecord[];
  #parser: EventSourceParser | undefined;

  constructor(name: string, records: HistoryRecord[] = []) {
    this.name = name;
    this.#records = records;
  }

  get events(): readonly EventSourceMessage[] {
    return this.frames.filter((frame) => !frame.event?.startsWith('stream.'));
  }

  get ended(): boolean {
    return this.frames.at(-1)?.event === 'stream.bye';
  }

  connected(from = 0): void {
    const { cursor, name: viewer } = this;
    this.#records.push({ at: now(), what: 'connected', viewer, from, ...(cursor !== undefined && { cursor }) });
    this.#parser = createParser({
      onEvent: (frame) => this.#take(frame),
      onComment: (text) => this.comments.push(text),
      onRetry: (retry) => {
        this.retry = retry;
      },
    });
  }

  feed(text: string): void {
    this.#parser?.feed(text);
  }

  disconnected(): void {
    if (!this.#parser) return;
    this.#parser = undefined;
    this.#records.push({ at: now(), what: 'disconnected', viewer: this.name });
  }

  complete(): void {
    this.#records.push({ at: now(), what: 'complete', viewer: this.name });
  }

  #take(frame: EventSourceMessage): void {
    this.frames.push(frame);
    if (frame.id !== undefined) this.cursor = frame.id;
    const at = now();
    const viewer = this.name;
    const data = JSON.parse(frame.data) as { seq: number; type?: string; prev?: number };
    if (frame.event === 'stream.reset') {
      this.#records.push({ at, what: 'reset', viewer, reset: data as unknown as StreamReset });
    } else if (frame.event === 'stream.progress') {
      this.#records.push({ at, what: 'progress', viewer, seq: data.seq });
    } else if (frame.event === 'stream.caught-up') {
      this.#records.push({ at, what: 'caught-up', viewer });
    } else if (!frame.event?.startsWith('stream.')) {
      const { prev } = data;
      this.#records.push({
        at,
        what: 'delivered',
        viewer,
        event: seen(frame.data),
        ...(prev !== undefined && { prev }),
      });
    }
  }
}

function seen(json: string): SeenEvent {
  const { epoch, seq, type, runId } = JSON.parse(json) as TelltaleEvent;
  return { epoch, seq, type, runId, content: json.replace(/^(\{"seq":\d+,)"prev":\d+,/, '$1') };
}

/** Whoever reads what a sink was given. */
type FedViewer = Pick<RecordedViewer, 'connected' | 'feed' | 'disconnected'>;

/** A sink whose reader takes bytes when the test says so, at most `room` of them unread. */
export class RecordedSink implements Sink {
  closed = false;
  /** How it closed. */
  end_: 'end' | 'abort' | undefined;
  unread = 0;
  /** The most that was ever handed over and not read. */
  mostUnread = 0;
  writes = 0;
  #listener: SinkListener | undefined;
  #waiting: Uint8Array[] = [];
  readonly #viewer: FedViewer;
  readonly #room: number;
  readonly #decoder = new TextDecoder();

  constructor(viewer: FedViewer, room = Number.POSITIVE_INFINITY) {
    this.#viewer = viewer;
    this.#room = room;
    viewer.connected();
  }

  open(listener: SinkListener): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): boolean {
    this.writes++;
    this.unread += bytes.length;
    this.mostUnread = Math.max(this.mostUnread, this.unread);
    if (this.unread < this.#room) {
      this.#read(bytes);
      return true;
    }
    this.#waiting.push(bytes);
    return false;
  }

  /** The reader takes everything that waits. */
  drain(): void {
    if (this.closed || this.#waiting.length === 0) return;
    for (const bytes of this.#waiting.splice(0)) this.#read(bytes);
    this.#listener?.drained();
  }

  end(): void {
    this.#close('end');
  }

  abort(): void {
    this.#close('abort');
  }

  /** The client goes away. */
  vanish(): void {
    this.#close(undefined);
  }

  #read(bytes: Uint8Array): void {
    this.unread -= bytes.length;
    this.#viewer.feed(this.#decoder.decode(bytes, { stream: true }));
  }

  #close(how: 'end' | 'abort' | undefined): void {
    if (this.closed) return;
    if (how === 'end') for (const bytes of this.#waiting.splice(0)) this.#read(bytes);
    this.closed = true;
    this.end_ = how;
    this.#viewer.disconnected();
    this.#listener?.closed();
  }
}

/** Resolves when the condition holds: looked at once per turn of the event loop, and, while it lasts, every 2 ms. */
export async function until(condition: () => boolean, what = 'the condition', timeoutMs = 10_000): Promise<void> {
  const deadline = now() + timeoutMs;
  for (let looks = 0; !condition(); looks++) {
    if (now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise<void>((resolve) => (looks < 100 ? setImmediate(resolve) : setTimeout(resolve, 2)));
  }
}
