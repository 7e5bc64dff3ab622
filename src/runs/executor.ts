/**
 * Owns the boundary of one run: it begins with `run.started`, and whatever the agent does (returns, throws, ignores a
 * cancel, never settles, goes on after its end) exactly one terminal event follows, as the last.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ack, Log, RunOpening } from '../log/index.ts';
import {
  type EncodedEvent,
  type EventData,
  type EventType,
  LATENESS_MS,
  type Limits,
  type RunWriter,
  TelltaleError,
} from '../protocol/index.ts';
import { RunBudget, type RunBudgetOptions } from './budget.ts';
import { Children, type StartChild } from './children.ts';
import type { WriterCounts } from './counts.ts';
import { errorInfoAs } from './error-info.ts';
import type { Expiries } from './expiries.ts';
import { Gate } from './gate.ts';
import { keepLease } from './lease-keeper.ts';
import { obey } from './obey.ts';
import { Outbox } from './outbox.ts';
import { People } from './people.ts';
import { plain } from './plain.ts';
import { pricedCalls } from './priced-calls.ts';
import type { PriceFunction } from './prices.ts';
import type { Place } from './queue.ts';
import { Recorder } from './recorder.ts';
import { RunWatch } from './run-watch.ts';
import { elapsed, RunScope } from './scope.ts';
import { type Hold, TimeLimit } from './time-limit.ts';
import { unlessAborted } from './unless-aborted.ts';

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
  readonly parentRunId?: string | undefined;
  /** How many runs are above it. */
  readonly depth: number;
  /** Of the run that started it: what holds that one holds this one. */
  readonly above?: Gate | undefined;
  readonly startChild: StartChild;
  /** Milliseconds from its start, without those in which it is paused, after which it ends as `timed_out`. */
  readonly timeoutMs?: number | undefined;
  readonly limits: Limits;
  readonly counts: WriterCounts;
  readonly expiries: Expiries;
  readonly keepStacks: boolean;
  /** Milliseconds that an aborted agent has to come to its end. */
  readonly graceMs: number;
  readonly budgetBytes: number;
  readonly awayMs: number;
  /** What the run may spend at most; see `strictest`. */
  readonly budget?: EventData<'budget.set'> | undefined;
  /** What a model call costs of which nobody has told. */
  readonly price?: PriceFunction | undefined;
}

type Failed = { readonly type: 'run.failed'; readonly data: EventData<'run.failed'> };
type Completed = { readonly type: 'run.completed'; readonly data: EventData<'run.completed'> };

/** Why a run is stopped from outside. The first reason counts. */
type Stop =
  | { readonly type: 'run.cancelled'; readonly data: EventData<'run.cancelled'> }
  | Failed
  /** The run's end is not ours to write. */
  | { readonly type: 'nothing' };

/** How a run ended. */
export type RunEnd = Stop | Completed;

type Outcome = { readonly output: unknown } | { readonly thrown: unknown } | { readonly overdue: true };

export class Executor {
  /** What it may spend, where that is limited. */
  readonly budget: RunBudget | undefined;
  readonly #options: ExecutorOptions;
  readonly #outbox: Outbox;
  readonly #recorder: Recorder;
  readonly #people: People;
  readonly #scope: RunScope;
  readonly #abort = new AbortController();
  readonly #gate: Gate;
  /** Resolves when an aborted agent has used up its grace. */
  readonly #overdue = Promise.withResolvers<Outcome>();
  readonly #children: Children;
  readonly #time: TimeLimit;
  #stop: Stop | undefined;
  #end: RunEnd = { type: 'nothing' };
  #priceFailed = false;
  #questions = 0;
  #grace: NodeJS.Timeout | undefined;
  /** What `run.started` says, where the run was opened to wait for its turn. */
  #waiting: EventData<'run.started'> | undefined;

  constructor(options: ExecutorOptions) {
    const { log, threadId, runId, parentRunId, limits, counts, keepStacks, budgetBytes, awayMs, budget, price } =
      options;
    this.#options = options;
    const onLost = (error: TelltaleError, final: boolean) => this.#lost(error, final);
    this.#outbox = new Outbox({ log, threadId, runId, limits, counts, budgetBytes, awayMs, onLost });
    const onFull = () => {
      const detail = `The run has reached its ${limits.runEvents} events.`;
      this.#lost(new TelltaleError('run_full', detail), false);
    };
    this.#recorder = new Recorder({
      ...{ outbox: this.#outbox, threadId, runId, parentRunId, limits, counts, onFull },
      ...(price && { complete: pricedCalls(price, (thrown) => this.#unpriced(thrown)) }),
      onTold: (draft) => this.budget?.hear(draft),
    });
    const { signal } = this.#abort;
    this.#time = new TimeLimit(options.timeoutMs, () => this.fail(timedOut(options.timeoutMs)));
    this.#gate = new Gate({
      signal,
      above: options.above,
      tell: (type, data) => {
        this.#recorder.record(type, data);
        if (type === 'run.paused') this.hold('paused');
        if (type === 'run.resumed') this.release('paused');
      },
      check: (call) => this.budget?.check(call),
    });
    this.#children = new Children({ ...options, signal, gate: this.#gate });
    this.#people = new People({ ...options, recorder: this.#recorder, signal });
    const tell = <T extends EventType>(type: T, data: EventData<T>) => this.#recorder.record(type, data);
    this.budget = budget && new RunBudget(budget, { signal, tell, ...this.#decisions() });
    this.#scope = new RunScope({
      threadId,
      runId,
      keepStacks,
      signal,
      gate: this.#gate,
      recorder: this.#recorder,
      outbox: this.#outbox,
      people: this.#people,
      eventBytes: limits.eventBytes,
      children: this.#children,
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
   * Writes `run.started`, or `run.queued` where its turn has not come. Goes on trying while the log is away; when it was
   * stored, the run is there and has to be ended.
   *
   * @param position in the queue.
   * @throws {TelltaleError} what `Log.append` refuses.
   */
  async open(data: EventData<'run.started'>, opening: RunOpening, position?: number, once?: string): Promise<Ack> {
    if (position !== undefined) this.#waiting = data;
    const [event] = this.#waiting
      ? this.#recorder.encode('run.queued', { ...data, position })
      : this.#recorder.encode('run.started', data);
    try {
      const ack = await this.#outbox.open(event!, opening, once);
      this.#outbox.fence = FIRST_FENCE;
      return ack;
    } catch (error) {
      this.abandon();
      throw error;
    }
  }

  /** Runs the agent, when its turn has come, from its first line to the run's terminal event. Never rejects. */
  async execute(fn: AgentFunction, input: unknown, opened: Ack, place?: Place): Promise<RunEnd> {
    const { log, runId } = this.#options;
    const obeys = obey({ gate: this.#gate, cancel: (data) => this.cancel(data) });
    const watch = new RunWatch(log, this.#options, opened, (said) => {
      this.#people.hear(said);
      obeys(said);
    });
    const giveUpLease = keepLease({
      log,
      runId,
      fence: FIRST_FENCE,
      lastAckAt: () => this.#outbox.lastAckAt,
      onLost: () => this.#lost(new TelltaleError('lease_fenced', 'The lease has passed on.'), true),
    });
    if (place && this.#waiting) await this.#begin(place, this.#waiting);
    const began = performance.now();
    this.#time.release('begin');
    if (!this.#waiting) this.budget?.begin();
    // Stopped before it began: then it does not begin.
    const body = this.#stop ? () => undefined : (run: RunWriter) => fn(run, input);
    const settled = this.#scope.within(body).then(
      (output): Outcome => ({ output }),
      (thrown: unknown): Outcome => ({ thrown }),
    );
    const outcome = await Promise.race([settled, this.#overdue.promise]);
    watch.stop();
    this.#people.close();
    clearTimeout(this.#grace);
    this.#time.end();
    this.#finish(outcome, elapsed(began));
    this.#children.cancel(`Run ${runId}, which started it, has ended.`);
    await this.#outbox.ended;
    giveUpLease();
    return this.#end;
  }

  /** Waits for the run's turn, telling how far it is, and starts it then, unless it is stopped first. */
  async #begin(place: Place, started: EventData<'run.started'>): Promise<void> {
    const { signal } = this.#abort;
    const unlessStopped = (wait: Promise<void>) => unlessAborted(() => wait, signal).catch(() => undefined);
    place.follow((position) => this.#recorder.record('run.queued', { agent: started.agent, position }));
    await unlessStopped(place.turn);
    const [event] = this.#recorder.encode('run.started', started);
    while (!this.#stop) {
      if (await this.#outbox.start(event!)) {
        this.#waiting = undefined;
        return;
      }
      // Somebody cancelled it first, says the log: it is on its way here.
      await unlessStopped(sleep(LATENESS_MS, undefined, { ref: false }));
    }
    place.leave();
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

  /** Stops the clock, for it and for the runs it has started. */
  hold(why: Hold): void {
    this.#time.hold(why);
    this.#children.hold('above');
  }

  release(why: Hold): void {
    this.#time.release(why);
    if (!this.#time.isHeld) this.#children.release('above');
  }

  /** Told once: the same function prices every call. */
  #unpriced(thrown: unknown): void {
    if (this.#priceFailed) return;
    this.#priceFailed = true;
    this.#recorder.record('error.reported', { error: errorInfoAs('price_failed', thrown, this.#options.keepStacks) });
  }

  /** What comes of a budget that is used up. */
  #decisions(): Pick<RunBudgetOptions, 'stop' | 'pause' | 'ask'> {
    return {
      stop: (error, usage) => {
        const { code, message, retryable } = error;
        const data = { error: { code, message, retryable }, ...(usage && { usage }) };
        this.#interrupt({ type: 'run.failed', data }, error);
      },
      pause: async (reason) => {
        this.#gate.pause({ reason });
        await this.#gate.hold();
      },
      // Not by the scope: what it asks passes the gate, which waits for the answer.
      ask: async (prompt) => {
        const ask = () => this.#people.ask({ prompt }, () => `budget-${++this.#questions}`, undefined);
        return (await this.#gate.idle(ask)).approved;
      },
    };
  }

  /** Writes nothing more, not even an end: whoever takes over the lease does. */
  abandon(): void {
    clearTimeout(this.#grace);
    this.#outbox.stop();
    this.#overdue.resolve({ overdue: true });
  }

  #lost(error: TelltaleError, final: boolean): void {
    if (final) {
      this.#stop = { type: 'nothing' };
      this.#end = this.#stop;
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

  #finish(outcome: Outcome, durationMs: number): void {
    const end = this.#stop ?? this.#endOf(outcome);
    this.#end = end;
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
    // What never started took no time.
    const took = this.#waiting ? {} : { durationMs };
    this.#outbox.end([...events, ...this.#encodeEnd(end.type, { ...end.data, ...took })]);
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

function timedOut(ms = 0): TelltaleError {
  return new TelltaleError('timed_out', `The run took longer than the ${ms / 1000} s that it had.`);
}

/** `run.started` has it, by the contract of `RunOpening.leased`. */
const FIRST_FENCE = 1;
