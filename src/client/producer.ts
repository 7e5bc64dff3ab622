import { type EventData, type EventDraft, randomId, TelltaleError } from '../protocol/index.ts';
import { errorOf, reach, unreachable } from './response.ts';

export interface ProducerOptions {
  /** Who appends: 1 to 64 visible ASCII characters, no comma. Random by default. */
  readonly id?: string;
  /** Of several with one id only the one with the highest epoch may write. Default 0. */
  readonly epoch?: number;
  /** The number of the first event given to `send`, for a program that begins its own again in the middle. Default 0. */
  readonly from?: number;
  /** Told what the run is asked for (cancel, pause, resume), with every acknowledgement until it is applied. */
  readonly onCommands?: (commands: readonly EventData<'control.requested'>[]) => void;
  /** Told how many events are acknowledged now, those before `from` counted in. */
  readonly onAcknowledged?: (count: number) => void;
  /** Told of a failure that is healed by sending again, and in how many milliseconds that will be. */
  readonly onTrouble?: (error: TelltaleError, retryMs: number) => void;
  readonly fetch?: typeof globalThis.fetch;
}

/** What one request carries. */
const BATCH = { lines: 500, bytes: 512 * 1024 };
/** `send` waits while so many bytes (UTF-16 units) are not acknowledged. */
const MAX_WAITING = 4 * 1024 * 1024;
/** So many acknowledged events are kept, for a log that comes back with less than it had acknowledged. */
const KEPT = 1000;
const RETRY_MS = 200;
const MAX_RETRY_MS = 10_000;
/** A server that has not answered a batch by then is taken for gone. */
const ANSWER_MS = 30_000;

/**
 * Appends events to a remote run, each exactly once and in order, however often the network, the server or this program
 * fails: every event has a number, and what has no acknowledgement is sent again until it has.
 *
 * @example
 * const producer = new Producer('http://127.0.0.1:4747/v1/runs/r1/events');
 * await producer.send({ type: 'status.updated', data: { status: 'reading' } });
 * await producer.send({ type: 'run.completed', data: {} });
 * await producer.close();
 */
export class Producer {
  readonly #url: string;
  readonly #options: ProducerOptions;
  readonly #id: string;
  /** Events as JSON, from number `#base` on; the first `#acked` of them are acknowledged. */
  readonly #lines: string[] = [];
  #base: number;
  #acked = 0;
  #waiting = 0;
  #failure: TelltaleError | undefined;
  #pumping: Promise<void> | undefined;
  #room = Promise.withResolvers<void>();
  #closed = false;

  /** @param url where to append: `…/v1/runs/{runId}/events`. */
  constructor(url: string, options: ProducerOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#id = options.id ?? randomId(16);
    this.#base = options.from ?? 0;
  }

  /** How many events are acknowledged, those before `from` counted in. */
  get acknowledged(): number {
    return this.#base + this.#acked;
  }

  /**
   * Takes an event; waits while too much is not acknowledged.
   *
   * @throws {TelltaleError} what ended this producer: `producer_fenced` (a newer epoch has taken over), `run_closed`,
   * `invalid_event` and every other refusal that waiting does not cure. Nothing after it is sent.
   */
  async send(event: EventDraft): Promise<void> {
    if (this.#closed) throw new TelltaleError('invalid_request', 'This producer was closed.');
    while (this.#waiting > MAX_WAITING && !this.#failure) await this.#room.promise;
    if (this.#failure) throw this.#failure;
    const line = JSON.stringify(event);
    this.#lines.push(line);
    this.#waiting += line.length;
    this.#pumping ??= this.#pump();
  }

  /** Resolves when everything is acknowledged. @throws {TelltaleError} as `send`. */
  async flush(): Promise<void> {
    while (this.#pumping) await this.#pumping;
    if (this.#failure) throw this.#failure;
  }

  /** Takes no more events, and flushes. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flush();
  }

  async #pump(): Promise<void> {
    // What is sent in this turn goes into one request.
    await null;
    let attempt = 0;
    while (this.#acked < this.#lines.length && !this.#failure) {
      const before = this.acknowledged;
      try {
        await this.#sendBatch();
        attempt = 0;
      } catch (thrown) {
        const error = TelltaleError.from(thrown);
        if (this.acknowledged > before) attempt = 0;
        if (this.#resumeAt(error)) continue;
        if (!error.retryable && error.status < 500) this.#failure = error;
        else await this.#pause(error, ++attempt);
      }
      this.#room.resolve();
      this.#room = Promise.withResolvers();
    }
    this.#pumping = undefined;
  }

  /** After a gap: the log wants another number than the next, and it is here. */
  #resumeAt({ code, particulars: { expected } }: TelltaleError): boolean {
    if (code !== 'producer_gap' || typeof expected !== 'number') return false;
    const acked = expected - this.#base;
    if (acked < 0 || acked > this.#lines.length || acked === this.#acked) return false;
    for (const line of this.#lines.slice(acked, this.#acked)) this.#waiting += line.length;
    for (const line of this.#lines.slice(this.#acked, acked)) this.#waiting -= line.length;
    this.#acked = acked;
    return true;
  }

  async #pause(error: TelltaleError, attempt: number): Promise<void> {
    const retryMs = Math.random() * Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** attempt);
    this.#options.onTrouble?.(error, retryMs);
    await new Promise((resolve) => setTimeout(resolve, retryMs));
  }

  async #sendBatch(): Promise<void> {
    const { epoch = 0, fetch } = this.#options;
    const response = await reach(
      this.#url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          'producer-id': this.#id,
          'producer-epoch': String(epoch),
          'producer-seq': String(this.acknowledged),
        },
        body: this.#nextLines(),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS),
      },
      fetch,
    ).catch((cause: unknown) => {
      // The time-out too: what became of the batch is not known, so it is sent again.
      throw unreachable(`${new URL(this.#url).origin} does not answer.`, cause);
    });
    if (!response.ok) throw await errorOf(response);
    let text: string;
    try {
      text = await response.text();
    } catch (cause) {
      throw unreachable('The answer broke off.', cause);
    }
    const answers = text.split('\n');
    // Behind the last line feed is nothing, or half a line.
    answers.pop();
    for (const answer of answers) this.#take(JSON.parse(answer));
    if (answers.length === 0) throw unreachable('The answer broke off.');
  }

  #nextLines(): string {
    let body = '';
    for (const line of this.#lines.slice(this.#acked, this.#acked + BATCH.lines)) {
      if (body !== '' && body.length + line.length > BATCH.bytes) break;
      body += `${line}\n`;
    }
    return body;
  }

  #take(answer: { code?: string; first: number; last: number; commands?: EventData<'control.requested'>[] }): void {
    if (answer.code !== undefined) throw TelltaleError.fromProblem(answer, 'unreachable');
    const acked = this.#acked + answer.last - answer.first + 1;
    for (const line of this.#lines.slice(this.#acked, acked)) this.#waiting -= line.length;
    this.#acked = acked;
    if (acked > 2 * KEPT) {
      this.#lines.splice(0, acked - KEPT);
      this.#base += acked - KEPT;
      this.#acked = KEPT;
    }
    this.#options.onAcknowledged?.(this.acknowledged);
    if (answer.commands) this.#options.onCommands?.(answer.commands);
  }
}
