import { type Dialect, type StreamWords, wordsOf } from '../dialects/index.ts';
import type { RevokedReason } from '../protocol/index.ts';
import type { Permit } from './permit.ts';
import type { Sink, SinkListener } from './sink.ts';
import type { StreamRequest } from './start.ts';
import type { Ticking, Wheel } from './wheel.ts';

/** A stream that may be asked for before there is anything to read: a session nobody has written to yet. */
export interface ExpectedRequest {
  /** The thread that is followed until `find` finds something. */
  readonly threadId: string;
  /** In whose words the client is kept awake. */
  readonly dialect: Dialect;
  /** As in `Selection`. */
  readonly asMessages?: boolean;
  /** As in `StreamRequest`. */
  readonly padding?: number;
  /** Frames of those who have to wait, behind the first words of the connection. Asked for once, after `find`. */
  readonly opening?: () => string;
  /** As in `StreamRequest`, while there is nothing to show. */
  readonly permit?: Permit | undefined;
  /** What to show, once it is there. Asked again whenever something was written to the thread, and from time to time. */
  readonly find: () => Promise<StreamRequest | undefined>;
}

export interface ExpectationOptions {
  readonly request: ExpectedRequest;
  readonly sink: Sink;
  readonly heartbeats: Wheel;
  readonly checks: Wheel;
  /** Takes the sink over; its connection has said its first words. Never rejects. */
  readonly open: (found: StreamRequest, sink: Sink) => Promise<void>;
  /** It waits no longer. */
  readonly onOver: (expectation: Expectation) => void;
}

/**
 * A connection that waits for its stream: it is kept awake, and handed over, once, when there is something to show. It
 * is the sink of the viewer that comes then, so the host's own sink is opened by it alone.
 */
export class Expectation implements Sink, Ticking {
  readonly #options: ExpectationOptions;
  /** The viewer, once there is one. */
  #listener: SinkListener | undefined;
  readonly #slots: { readonly heartbeat: number; readonly check: number };
  readonly #check: Ticking = { tick: () => this.look() };
  #unfollow: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #isFull = false;
  #beats = 0;
  #isWaiting = true;
  #isLooking = false;
  #lookAgain = false;

  constructor(options: ExpectationOptions) {
    this.#options = options;
    const { heartbeats, checks } = options;
    this.#slots = { heartbeat: heartbeats.add(this), check: checks.add(this.#check) };
  }

  get closed(): boolean {
    return this.#options.sink.closed;
  }

  begin(frames: string, stalledMs: number): void {
    const drained = () => {
      this.#isFull = false;
      this.#listener?.drained();
    };
    const closed = () => {
      this.#leave();
      this.#listener?.closed();
    };
    this.#options.sink.open({ drained, closed }, stalledMs);
    this.write(encoder.encode(frames));
    this.#unwatch = this.#options.request.permit?.watch((reason) => this.#revoked(reason));
  }

  /** Called when it is over, or at once where it is over already. */
  set unfollow(unfollow: () => void) {
    if (this.#isWaiting) this.#unfollow = unfollow;
    else unfollow();
  }

  /** Hands over where there is something to show. What cannot be found now is looked for at the next wake-up or tick. */
  look(): void {
    this.#lookAgain = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#lookOn()
      .catch(() => undefined)
      .finally(() => {
        this.#isLooking = false;
      });
  }

  tick(): void {
    if (this.#isFull) return;
    this.#beats++;
    const beat = { count: this.#beats, time: new Date().toISOString() };
    this.write(encoder.encode(this.#words().heartbeat(beat)));
  }

  open(listener: SinkListener): void {
    this.#listener = listener;
  }

  write(bytes: Uint8Array): boolean {
    const takesMore = this.#options.sink.write(bytes);
    this.#isFull = !takesMore;
    return takesMore;
  }

  end(): void {
    this.#leave();
    this.#options.sink.end();
  }

  abort(): void {
    this.#leave();
    this.#options.sink.abort();
  }

  async #lookOn(): Promise<void> {
    while (this.#isWaiting && this.#lookAgain) {
      this.#lookAgain = false;
      const found = await this.#options.request.find();
      if (!found || !this.#isWaiting) continue;
      this.#leave();
      await this.#options.open(found, this);
    }
  }

  #revoked(reason: RevokedReason): void {
    if (!this.#isWaiting) return;
    this.write(encoder.encode(this.#words().revoked(reason)));
    this.end();
  }

  #words(): StreamWords {
    const { dialect, threadId, asMessages = false } = this.#options.request;
    return wordsOf(dialect, { threadId, asMessages });
  }

  #leave(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.#options.heartbeats.remove(this, this.#slots.heartbeat);
    this.#options.checks.remove(this.#check, this.#slots.check);
    this.#unfollow?.();
    this.#unwatch?.();
    this.#options.onOver(this);
  }
}

const encoder = new TextEncoder();
