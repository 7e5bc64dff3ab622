/**
 * The way of one run's events into the log: what is pushed during a turn of the event loop becomes one append, one
 * append is under way at a time, and what fails for now is sent again under the same producer key, so that nothing is
 * lost and nothing stored twice. Pushing never waits and never throws; memory is bounded by a multiple of the budget.
 */
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ack, AppendOptions, Log, RunOpening } from '../log/index.ts';
import { type EncodedEvent, type Limits, randomId, TelltaleError } from '../protocol/index.ts';
import { Backlog } from './backlog.ts';
import type { WriterCounts } from './counts.ts';

export interface OutboxOptions {
  readonly log: Log;
  readonly threadId: string;
  readonly runId: string;
  readonly limits: Limits;
  readonly counts: WriterCounts;
  /** Bytes that may wait before deltas are merged and awaitable calls wait; at eight times that the run is lost. */
  readonly budgetBytes: number;
  /** Milliseconds without an acknowledgement after which the log counts as gone. */
  readonly awayMs: number;
  /**
   * Told once, when no more events are taken. `final`: nothing can be written any more, not even the run's end (the
   * lease has passed on, the run is closed or deleted, the log is closed).
   */
  readonly onLost: (error: TelltaleError, final: boolean) => void;
}

/** After these the run's end is not ours to write. */
const FINAL = new Set([
  ...['lease_fenced', 'run_closed', 'run_not_found', 'run_deleted', 'already_decided', 'log_closed', 'run_exists'],
]);

/**
 * Budgets after which a run is lost. What an agent tells in one turn of the event loop cannot be slowed down, and a large
 * burst says nothing against the log; so this is much more than what makes others wait.
 */
const LOST_AT = 8;

/** Milliseconds before the first repetition; doubled up to the longest. */
const BACKOFF = { first: 20, longest: 2_000 };

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #backlog: Backlog;
  /** Nobody else knows this id, so the numbers under it are ours alone. */
  readonly #producerId = randomId(16);
  readonly #stopped = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  #state: 'open' | 'ending' | 'lost' | 'over' = 'open';
  #producerSeq = 0;
  /** Resolves when nothing is under way or waits; absent then. */
  #drained: Promise<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #impatient = false;
  /** The lease under which to append; set when the run is open. */
  fence: number | undefined;
  /** Events that were pushed and not taken, or taken and refused. */
  dropped = 0;
  /** When the log last took something; `performance.now()`. */
  lastAckAt = performance.now();
  /** Why the latest attempt failed, while one is repeated. */
  trouble: TelltaleError | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#backlog = new Backlog(options.limits);
  }

  /** Resolves when the run's last event is durable, or when it is certain that it is not ours to write. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** The run's first event. Repeated like any other, until it is stored, refused or `stop` is called. */
  open(event: EncodedEvent, opens: RunOpening, once?: string): Promise<Ack> {
    return this.#deliver([event], { runId: this.#options.runId, opens, ...(once !== undefined && { once }) });
  }

  /**
   * The start of a run that has waited, behind everything that was taken. False where it was not stored: the run had been
   * asked to end before, or is lost.
   */
  async start(event: EncodedEvent): Promise<boolean> {
    while (this.#drained) await this.#drained;
    const stored = this.#deliver([event], { runId: this.#options.runId, starts: true });
    // What is taken meanwhile goes behind it.
    const over = stored.catch(() => undefined);
    this.#drained = over.then(() => this.#drain());
    try {
      await stored;
      return true;
    } catch (thrown) {
      const error = TelltaleError.from(thrown);
      if (error.code !== 'command_refused') this.#lose(error, FINAL.has(error.code));
      return false;
    }
  }

  /** Takes one event. `mergeable`: a delta of which nothing but its text would be lost in another delta of its entity. */
  push(event: EncodedEvent, mergeable = false): void {
    const { budgetBytes } = this.#options;
    const waiting = this.#backlog.bytes;
    if (this.#state === 'open' && waiting > 0 && waiting + event.bytes > LOST_AT * budgetBytes) {
      const detail = `The log does not keep up: ${waiting} bytes of this run wait for it.`;
      this.#lose(new TelltaleError('log_unavailable', detail), false);
    }
    if (this.#state !== 'open') {
      this.drop(1);
      return;
    }
    this.#backlog.add(event, mergeable, waiting > budgetBytes);
    this.#drainSoon();
  }

  /** True while awaitable calls should wait for `room`. */
  get isFull(): boolean {
    return this.#state === 'open' && !this.#impatient && this.#backlog.bytes > this.#options.budgetBytes;
  }

  /** Resolves when there is room again, or when waiting for it makes no sense any more. */
  async room(): Promise<void> {
    while (this.isFull) {
      this.#room ??= Promise.withResolvers();
      await this.#room.promise;
    }
  }

  /** From now on nobody waits for room: the agent is to come to its end. */
  hurry(): void {
    this.#impatient = true;
    this.#makeRoom();
  }

  /** Counts events that are not stored. */
  drop(count: number): void {
    this.dropped += count;
    this.#options.counts.dropped += count;
  }

  /** The run's last events, the terminal one at their end, behind everything that was taken. Nothing is taken afterwards. */
  end(events: readonly EncodedEvent[]): void {
    if (this.#state === 'over' || this.#state === 'ending') return;
    this.#state = 'ending';
    for (const event of events) this.#backlog.add(event, false, false);
    this.#makeRoom();
    this.#drainSoon();
  }

  /** Writes nothing more, and waits for nothing. */
  stop(): void {
    if (this.#state === 'over') return;
    this.drop(this.#backlog.clear());
    this.#state = 'over';
    this.#stopped.abort();
    this.#makeRoom();
    this.#ended.resolve();
  }

  #drainSoon(): void {
    this.#drained ??= nextTurn().then(() => this.#drain());
  }

  async #drain(): Promise<void> {
    while (!this.#backlog.isEmpty) {
      await this.#send(this.#backlog.take());
      // What the same turn still brings goes into the same append.
      await nextTurn();
    }
    this.#drained = undefined;
  }

  async #send(batch: readonly EncodedEvent[]): Promise<void> {
    const { runId } = this.#options;
    const closes = this.#state === 'ending' && this.#backlog.isEmpty;
    try {
      await this.#deliver(batch, { runId, ...(closes && { closes, once: `end:${runId}` }) });
      if (closes) this.stop();
    } catch (thrown) {
      this.drop(batch.length);
      const error = TelltaleError.from(thrown);
      this.#lose(error, closes || FINAL.has(error.code));
    }
    this.#backlog.taken(batch);
    if (this.#backlog.bytes <= this.#options.budgetBytes) this.#makeRoom();
  }

  async #deliver(batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
    const { log, threadId, awayMs } = this.#options;
    const producer = { id: this.#producerId, epoch: 0, seq: this.#producerSeq, digest: digestOf(batch) };
    const fence = this.fence === undefined ? {} : { fence: this.fence };
    // Also for an append that never answers.
    const away = setTimeout(() => {
      // Whatever keeps it away (a full disk, too much that waits), to the run it is one thing.
      this.#lose(new TelltaleError('log_unavailable', this.trouble?.message ?? `No answer for ${awayMs} ms.`), false);
    }, awayMs);
    try {
      for (let delay = BACKOFF.first; ; delay = Math.min(delay * 2, BACKOFF.longest)) {
        try {
          const ack = await log.append(threadId, batch, { ...options, ...fence, producer });
          this.#producerSeq++;
          this.lastAckAt = performance.now();
          this.trouble = undefined;
          return ack;
        } catch (thrown) {
          const error = TelltaleError.from(thrown);
          if (!error.retryable || error.code === 'log_closed') throw error;
          this.trouble = error;
        }
        await sleep(delay, undefined, { signal: this.#stopped.signal });
      }
    } finally {
      clearTimeout(away);
    }
  }

  #lose(error: TelltaleError, final: boolean): void {
    if (this.#state === 'over' || (this.#state !== 'open' && !final)) return;
    if (final) this.stop();
    else this.#state = 'lost';
    this.#makeRoom();
    this.#options.onLost(error, final);
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function digestOf(batch: readonly EncodedEvent[]): string {
  return hash('sha256', batch.map(({ rest }) => rest).join('\n'));
}
