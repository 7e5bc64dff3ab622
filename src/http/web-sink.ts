/** The portable way to a viewer: a web stream that gives out one piece each time its reader asks for one. */
import type { Sink, SinkListener } from '../hub/index.ts';
import { TelltaleError } from '../protocol/index.ts';

/**
 * So much is given out at a time. Progress is seen from piece to piece only, so this decides how slow a reader may be:
 * behind the socket buffer of a Node server (64 KiB) about 3 KB/s, if it is cut after 30 s.
 */
const PIECE_BYTES = 16 * 1024;

/** How the host can break the connection; without it, the stream ends with an error. */
type CutConnection = () => void;

/**
 * A sink whose bytes leave through `body`. It holds what was written and not yet asked for, and says that it has enough
 * as long as that is anything at all: a reader that does not read costs one write.
 */
export class WebSink implements Sink {
  closed = false;
  /** The body of the response. */
  readonly body: ReadableStream<Uint8Array>;
  readonly #cut: CutConnection | undefined;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #listener: SinkListener | undefined;
  #waiting: Uint8Array[] = [];
  /** The reader waits for a piece. */
  #asked = false;
  #full = false;
  #ending = false;
  #stalledMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `signal`: of the request, where the host may forget to cancel the body of a client that went away. */
  constructor({ signal, cut }: { signal?: AbortSignal; cut?: CutConnection }) {
    this.#cut = cut;
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#onPull(),
        cancel: () => this.#onClose(),
      },
      // Nothing is given out before it is asked for, so that every piece taken is seen, and counts as progress.
      { highWaterMark: 0 },
    );
    signal?.addEventListener('abort', () => this.#onAbort(), { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  open(listener: SinkListener, stalledMs: number): void {
    this.#listener = listener;
    this.#stalledMs = stalledMs;
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed) return true;
    const held = this.#waiting.length > 0;
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#waiting.push(bytes.subarray(at, at + PIECE_BYTES));
    this.#give();
    if (!held) this.#watch();
    this.#full = this.#waiting.length > 0;
    return !this.#full;
  }

  end(): void {
    this.#ending = true;
    if (!this.closed && this.#waiting.length === 0) this.#finish();
  }

  abort(): void {
    if (this.closed) return;
    // With an error, or a connection that breaks, no client takes half a stream for a whole one.
    if (this.#cut) this.#cut();
    else
      this.#controller.error(new TelltaleError('stream_broken', 'The stream was cut. Connect again with its cursor.'));
    this.#onClose();
  }

  #give(): void {
    if (!this.#asked) return;
    const piece = this.#waiting.shift();
    if (!piece) return;
    this.#asked = false;
    // A copy: a reader may change or transfer what it is given, and other viewers are given the same memory.
    this.#controller.enqueue(new Uint8Array(piece));
  }

  #onPull(): void {
    if (this.closed) return;
    this.#asked = true;
    this.#give();
    this.#watch();
    if (this.#waiting.length > 0) return;
    if (this.#ending) this.#finish();
    else if (this.#full) {
      this.#full = false;
      this.#listener?.drained();
    }
  }

  /** The time begins anew with every piece that is taken, and stops while none waits. */
  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.abort(), this.#stalledMs);
  }

  #finish(): void {
    this.#controller.close();
    this.#onClose();
  }

  /** The client is gone: there is nobody who could take the end for that of the run. */
  #onAbort(): void {
    if (!this.closed) this.#finish();
  }

  #onClose(): void {
    if (this.closed) return;
    this.closed = true;
    this.#waiting = [];
    clearTimeout(this.#timer);
    this.#listener?.closed();
  }
}
