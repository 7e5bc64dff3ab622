/**
 * Owns the boundary of one run: it begins with `run.started`, and whatever the agent does (returns, throws, ignores a
 * cancel, never settles, goes on after its end) exactly one terminal event follows, as the last.
 */
import type { Ack, Log, RunOpening } from '../log/index.ts';
import { type EncodedEvent, type EventData, type Limits, type RunWriter, TelltaleError } from '../protocol/index.ts';
import type { WriterCounts } from './counts.ts';
import { errorInfoAs } from './error-info.ts';
import { Gate } from './gate.ts';
import { keepLease } from './lease-keeper.ts';
import { obey } from './obey.ts';
import { Outbox } from './outbox.ts';
import { plain } from './plain.ts';
import { Recorder } from './recorder.ts';
import { RunWatch } from './run-watch.ts';
import { elapsed, RunScope } from './scope.ts';

/** What may be given to `register`: an async function or an async generator (see `Runs.register`). */
export type AgentFunction = (
  run: RunWriter,
  // biome-ignore lint/suspicious/noExplicitAny: each agent says what input it takes; nobody else knows.
  input: any,
) => unknown;

export interface ExecutorOptions {
  readonly log: Log;
  readonly threadId: string;
  readonly runId: string;
  readonly limits: Limits;
  readonly counts: WriterCounts;
  readonly keepStacks: boolean;
  /** Milliseconds that an aborted agent has to come to its end. */
  readonly graceMs: number;
  readonly budgetBytes: number;
  readonly awayMs: number;
}

type Failed = { readonly type: 'run.failed'; readonly data: EventData<'run.failed'> };
type Completed = { readonly type: 'run.completed'; readonly data: EventData<'run.completed'> };

/** Why a run is stopped from outside. The first reason counts. */
type Stop =
  | { readonly type: 'run.cancelled'; readonly data: EventData<'run.cancelled'> }
  | Failed
  /** The run's end is not ours to write. */
  | { readonly type: 'nothing' };

type Outcome = { readonly output: unknown } | { readonly thrown: unknown } | { readonly overdue: true };

export class Executor {
  readonly #options: ExecutorOptions;
  readonly #outbox: Outbox;
  readonly #recorder: Recorder;
  readonly #scope: RunScope;
  readonly #abort = new AbortController();
  readonly #gate: Gate;
  /** Resolves when an aborted agent has used up its grace. */
  readonly #overdue = Promise.withResolvers<Outcome>();
  #stop: Stop | undefined;
  #grace: NodeJS.Timeout | undefined;

  constructor(options: ExecutorOptions) {
    const { log, threadId, runId, limits, counts, keepStacks, budgetBytes, awayMs } = options;
    this.#options = options;
    const onLost = (error: TelltaleError, final: boolean) => this.#lost(error, final);
    this.#outbox = new Outbox({ log, threadId, runId, limits, counts, budgetBytes, awayMs, onLost });
    const onFull = () => {
      const detail = `The run has reached its ${limits.runEvents} events.`;
      this.#lost(new TelltaleError('run_full', detail), false);
    };
    this.#recorder = new Recorder({ outbox: this.#outbox, threadId, runId, limits, counts, onFull });
    const { signal } = this.#abort;
    this.#gate = new Gate({ signal, tell: (type, data) => this.#recorder.record(type, data) });
    this.#scope = new RunScope({
      threadId,
      runId,
      keepStacks,
      signal,
      gate: this.#gate,
      recorder: this.#recorder,
      outbox: this.#outbox,
      eventBytes: limits.eventBytes,
    });
  }

  /** Resolves when the run's end is durable, or not ours to write. Never rejects. */
  get ended(): Promise<void> {
    return this.#outbox.ended;
  }

  /** Why the log does not take the run's events just now. */
  get trouble(): TelltaleError | undefined {
    return this.#outbox.trouble;
  }

  /**
   * Writes `run.started`. Goes on trying while the log is away; when it was stored, the run is there and has to be ended.
   *
   * @throws {TelltaleError} what `Log.append` refuses.
   */
  async open(data: EventData<'run.started'>, opening: RunOpening): Promise<Ack> {
    const [event] = this.#recorder.encode('run.started', data);
    try {
      const ack = await this.#outbox.open(event!, opening);
      this.#outbox.fence = FIRST_FENCE;
      return ack;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Runs the agent from its first line to the run's terminal event. Never rejects. */
  async execute(fn: AgentFunction, input: unknown, opened: Ack): Promise<void> {
    const { log, runId } = this.#options;
    const began = performance.now();
    const hear = obey({ gate: this.#gate, cancel: (data) => this.cancel(data) });
    const watch = new RunWatch(log, this.#options, opened, hear);
    const giveUpLease = keepLease({
      log,
      runId,
      fence: FIRST_FENCE,
      lastAckAt: () => this.#outbox.lastAckAt,
      onLost: () => this.#lost(new TelltaleError('lease_fenced', 'The lease has passed on.'), true),
    });
    // Stopped before it began: then it does not begin.
    const body = this.#stop ? () => undefined : (run: RunWriter) => fn(run, input);
    const settled = this.#scope.within(body).then(
      (output): Outcome => ({ output }),
      (thrown: unknown): Outcome => ({ thrown }),
    );
    const outcome = await Promise.race([settled, this.#overdue.promise]);
    watch.stop();
    clearTimeout(this.#grace);
    this.#end(outcome, elapsed(began));
    await this.#outbox.ended;
    giveUpLease();
  }

  /** Ends the run as cancelled: the agent's signal is aborted, and what it does within the grace is still told. */
  cancel(data: EventData<'run.cancelled'>): void {
    const why = data.reason === undefined ? '' : `: ${data.reason}`;
    this.#interrupt({ type: 'run.cancelled', data }, new DOMException(`The run was cancelled${why}`, 'AbortError'));
  }

  /** Ends the run as failed for a reason that is not the agent's. */
  fail(error: TelltaleError, graceMs: number = this.#options.graceMs): void {
    const { code, message, retryable } = error;
    this.#interrupt({ type: 'run.failed', data: { error: { code, message, retryable } } }, error, graceMs);
  }

  /** Writes nothing more, not even an end: whoever takes over the lease does. */
  abandon(): void {
    this.#outbox.stop();
    this.#overdue.resolve({ overdue: true });
  }

  #lost(error: TelltaleError, final: boolean): void {
    if (final) {
      this.#stop = { type: 'nothing' };
      this.#abort.abort(error);
      this.abandon();
    } else {
      this.fail(error);
    }
  }

  #interrupt(stop: Stop, reason: unknown, graceMs: number = this.#options.graceMs): void {
    if (this.#stop) return;
    this.#stop = stop;
    this.#grace = setTimeout(() => this.#overdue.resolve({ overdue: true }), graceMs);
    this.#outbox.hurry();
    this.#abort.abort(reason);
  }

  #end(outcome: Outcome, durationMs: number): void {
    const end = this.#stop ?? this.#endOf(outcome);
    // A cancel that comes now comes too late.
    this.#stop ??= { type: 'nothing' };
    this.#gate.close(new DOMException('The run has ended.', 'AbortError'));
    if (end.type === 'nothing') return;
    const { dropped } = this.#outbox;
    const events: EncodedEvent[] = [];
    if (dropped > 0) {
      const message = `${dropped} events of this run could not be stored.`;
      events.push(...this.#recorder.encode('error.reported', { error: { code: 'events_dropped', message } }));
    }
    this.#outbox.end([...events, ...this.#encodeEnd(end.type, { ...end.data, durationMs })]);
  }

  #endOf(outcome: Outcome): Completed | Failed {
    if ('output' in outcome) {
      const output = plain(outcome.output);
      return { type: 'run.completed', data: output === undefined ? {} : { output } };
    }
    const thrown = 'thrown' in outcome ? outcome.thrown : undefined;
    return { type: 'run.failed', data: { error: errorInfoAs('agent_failed', thrown, this.#options.keepStacks) } };
  }

  /** A terminal event that can be written, whatever the agent gave as its output. */
  #encodeEnd(type: string, data: { readonly [field: string]: unknown }): readonly EncodedEvent[] {
    try {
      return this.#recorder.encode(type, data);
    } catch (thrown) {
      const { output, ...rest } = data;
      const error = errorInfoAs('event_too_large', thrown, false);
      return [...this.#recorder.encode('error.reported', { error }), ...this.#recorder.encode(type, rest)];
    }
  }
}

/** `run.started` has it, by the contract of `RunOpening.leased`. */
const FIRST_FENCE = 1;
