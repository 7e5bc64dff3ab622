import { type Ack, foldRun, type Log, type RunOpening, type RunRecord } from '../log/index.ts';
import {
  type BudgetLimits,
  checkId,
  isEnded,
  isId,
  LIMITS,
  type Limits,
  newRunId,
  type RunSnapshot,
  type RunStatus,
  TelltaleError,
} from '../protocol/index.ts';
import { type Admit, openAdmitted } from './admit.ts';
import { Approvals } from './approvals.ts';
import { checkBudget, remoteBudget } from './budget-of.ts';
import { Commands } from './commands.ts';
import type { WriterCounts } from './counts.ts';
import type { AgentFunction } from './executor.ts';
import { Expiries } from './expiries.ts';
import { findRun, runNotFound } from './find-run.ts';
import { Inputs } from './inputs.ts';
import { type Agent, LocalRuns, startedData } from './local-runs.ts';
import type { PriceFunction } from './prices.ts';
import { endLostRuns } from './recovery.ts';
import { RemoteRuns } from './remote-runs.ts';
import { checkTimeout } from './run-limits.ts';
import { startOnce } from './start-once.ts';

/** Limits and patience; everything has a default. */
export interface RunsOptions {
  readonly limits?: Partial<Limits>;
  /** Keep stacks in `error` (they tell paths and code). Off by default. */
  readonly keepStacks?: boolean;
  /** Milliseconds that a cancelled agent has to come to its end. */
  readonly graceMs?: number;
  /** Bytes of one run that may wait for the log before deltas are merged and awaitable calls wait. */
  readonly budgetBytes?: number;
  /** Milliseconds without an acknowledgement after which the log counts as gone, and the run ends. */
  readonly awayMs?: number;
  /** Milliseconds after which a command that was neither applied nor refused is told as overdue. */
  readonly commandTimeoutMs?: number;
  /** Seconds that every run here may take at most (`RunLimits.timeout`). */
  readonly timeout?: number;
  /** Runs that may be under way at once, of all agents together. */
  readonly concurrency?: number;
  /** Runs that may wait for their turn. */
  readonly maxQueued?: number;
  /** The most that any run may spend; a run's own budget and that of its agent can only be smaller. */
  readonly budget?: BudgetLimits | undefined;
  /** What model calls cost that do not say so themselves. */
  readonly price?: PriceFunction | undefined;
}

/** What is to run, and where its events go. */
export interface StartRequest {
  readonly agent: string;
  readonly input?: unknown;
  /** Default: the run gets a thread of its own, with the run's id. */
  readonly threadId?: string;
  readonly runId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** `local` (default): the registered agent runs here. `remote`: somebody else appends the run's events. */
  readonly mode?: 'local' | 'remote';
  /** User and tenant whose it is, where there is authentication, each 1 to 256 characters. Nobody's is for operators alone. */
  readonly owner?: string;
  readonly tenant?: string;
  /** Makes repeating safe: the run is started once for each key (1 to 255 visible ASCII characters). Not with a `runId`. */
  readonly idempotencyKey?: string;
  /** Remote only: the run ends as `executor_lost` when nothing was appended for so many seconds. Without it, never. */
  readonly lease?: number;
  /** Local only: seconds that it may take (`RunLimits.timeout`). Those of its agent and of the server hold as well. */
  readonly timeout?: number;
  /** Local only: of the runs of its thread that are started so, one is under way at a time; the others are `queued`. */
  readonly inTurn?: boolean;
  /** The most that it may spend. The server's and the agent's budgets hold as well: the smallest of each maximum counts. */
  readonly budget?: BudgetLimits;
}

/** A run whose first event is durable: `run.started`, or `run.queued`. */
export interface Started {
  readonly runId: string;
  readonly threadId: string;
  readonly status: RunStatus;
  /** How many are before it, while it is queued. */
  readonly position?: number;
  /** Of its first event. */
  readonly ack: Ack;
  /** Of one that is executed here: settles with its end, also where that comes while it is queued. */
  readonly ended?: Promise<unknown>;
  /** The run had been started before under the same `idempotencyKey`; `status` is its status now. */
  readonly duplicate?: true;
}

const DEFAULTS = {
  keepStacks: false,
  graceMs: 5_000,
  budgetBytes: 4 * 1024 * 1024,
  awayMs: 30_000,
  commandTimeoutMs: 10_000,
  timeout: Number.POSITIVE_INFINITY,
  concurrency: Number.POSITIVE_INFINITY,
  maxQueued: 1_000,
};

/** How often is looked for leases that ran out. */
const REAP_MS = 1_000;

/**
 * The runs of one log: starts registered agents, takes what remote producers send and what people ask for, and sees to it
 * that every run ends.
 */
export class Runs {
  /** What people ask of runs: cancel, pause, resume. */
  readonly commands: Commands;
  /** What remote producers append. */
  readonly remote: RemoteRuns;
  /** What people answer and say. */
  readonly approvals: Approvals;
  readonly inputs: Inputs;
  /** What agents wrote that could not be stored as it was. */
  readonly counts: Readonly<WriterCounts>;
  readonly #counts: WriterCounts = { truncated: 0, invalid: 0, dropped: 0 };
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #options: typeof DEFAULTS & Pick<RunsOptions, 'budget' | 'price'>;
  readonly #local: LocalRuns;
  readonly #expiries: Expiries;
  #closing = false;
  #reaper: NodeJS.Timeout | undefined;

  constructor(log: Log, { limits, ...options }: RunsOptions = {}) {
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
    this.#options = { ...DEFAULTS, ...options };
    checkBudget(options.budget);
    this.#expiries = new Expiries(log);
    this.#local = new LocalRuns(log, this.#limits, this.#counts, this.#expiries, this.#options);
    this.counts = this.#counts;
    this.commands = new Commands(log, this.#limits, this.#options.commandTimeoutMs);
    this.remote = new RemoteRuns(log, this.#limits, this.#expiries, (...asked) => this.commands.expect(...asked));
    this.approvals = new Approvals(log, this.#limits, this.#expiries);
    this.inputs = new Inputs(log, this.#limits);
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.#local.agents;
  }

  /**
   * Makes a function startable under a name. It gets a writer and the run's input; what it returns is the run's output.
   * An async generator's yields are told as they come: a string as text of the answer, `{type, data}` as an event.
   *
   * @throws {TelltaleError} `invalid_option` when the name is taken or not 1 to 256 characters, or a limit is none.
   * @example
   * runs.register('greeter', async (run, { name }) => {
   *   await run.say(`Hello ${name}`);
   * });
   */
  register(name: string, fn: AgentFunction, about: Omit<Agent, 'name' | 'fn'> = {}): void {
    this.#local.register(name, fn, about);
  }

  /**
   * Opens a run; resolves when its first event is durable. A local one is then executed here, to its end: at once, or as
   * `queued` where as many are under way as may.
   *
   * @throws {TelltaleError} `agent_not_found`, `invalid_request`, `run_exists`, `run_deleted`, `idempotency_conflict`; `event_too_large`
   * (remote); `overloaded` while closing, and where as many wait as may; retryable ones of the log, after which it is not
   * known whether the run was opened: where it was, it ends as `log_unavailable`; what `admit` throws, which decides about
   * the thread.
   */
  async start(request: StartRequest, admit?: Admit): Promise<Started> {
    this.#checkOpen();
    if (request.idempotencyKey === undefined) return this.#start(request, admit);
    return startOnce(this.#log, request, (keyed, requestDigest) => this.#start(keyed, admit, requestDigest));
  }

  /**
   * The same with a function of its own, which nobody else can start: `agent` is only its name.
   *
   * @throws {TelltaleError} as `start`.
   */
  async startWith(fn: AgentFunction, request: StartRequest): Promise<Started> {
    this.#checkOpen();
    return this.#start(request, undefined, undefined, fn);
  }

  async #start(request: StartRequest, admit?: Admit, requestDigest?: string, fn?: AgentFunction): Promise<Started> {
    const { mode = 'local', owner, tenant, lease, timeout, inTurn, budget } = request;
    checkTimeout(timeout, 'invalid_request');
    if (timeout !== undefined && mode === 'remote') {
      const detail = 'timeout: nobody here can stop what a remote run does. Let it end by itself, or give it a lease.';
      throw new TelltaleError('invalid_request', detail);
    }
    if (inTurn && mode === 'remote') {
      throw new TelltaleError(
        'invalid_request',
        'inTurn: a remote run is begun by its producer, and never waits here.',
      );
    }
    if (lease !== undefined && mode === 'local') {
      throw new TelltaleError('invalid_request', 'lease: only a run with "mode": "remote" can have one.');
    }
    const runId = request.runId === undefined ? newRunId() : checkId(request.runId, 'runId');
    const threadId = request.threadId === undefined ? runId : checkId(request.threadId, 'threadId');
    const { agent, input, metadata } = request;
    const data = startedData({ agent, mode, input, metadata });
    const opening: RunOpening = {
      agent,
      createdAt: new Date().toISOString(),
      ...(owner !== undefined && { owner }),
      ...(tenant !== undefined && { tenant }),
      ...(mode === 'local' && { leased: true }),
      ...(lease !== undefined && { leaseMs: lease * 1000 }),
      ...(requestDigest !== undefined && { requestDigest }),
    };
    const place = { threadId, runId };
    return openAdmitted(admit, place, async (once): Promise<Started> => {
      // It may have been closed meanwhile: it would not stop what begins now.
      this.#checkOpen();
      if (mode === 'local') {
        const { opened, ended, position } = this.#local.start({
          ...place,
          data,
          opening,
          input,
          fn,
          timeout,
          inTurn,
          budget,
          depth: 0,
          once,
        });
        const ack = await opened;
        return position === undefined
          ? { ...place, status: 'running', ack, ended }
          : { ...place, status: 'queued', position, ack, ended };
      }
      const limits = remoteBudget(this.#options.budget, budget);
      const ack = await this.remote.open({ ...place, budget: limits, once }, data, opening);
      return { ...place, status: 'running', ack };
    });
  }

  /**
   * The fold of all events a run has now.
   *
   * @throws {TelltaleError} `run_not_found`, `run_deleted`.
   */
  async snapshot(runId: string): Promise<RunSnapshot> {
    const run = await this.#run(runId);
    const snapshot = await foldRun(this.#log, run);
    // Without the end that it had: it may have been deleted while it was read.
    if (isEnded(run.status) && !isEnded(snapshot.status)) await this.#run(runId);
    return snapshot;
  }

  /**
   * Deletes a run that has ended, for good (`Retention.erase`). Deleting it again is no error.
   *
   * @throws {TelltaleError} `run_not_found`, `run_open`, and retryable ones of the log.
   */
  async delete(runId: string): Promise<void> {
    if (!isId(runId)) throw runNotFound(runId);
    await this.#log.retention.erase(runId);
  }

  /**
   * Ends the runs whose executor or remote producer is gone (`executor_lost`): until `close`, it is then done every second.
   * Takes over what an earlier process waited for: the deadlines of commands, the time of questions. Call it when a store
   * was opened.
   *
   * @returns how many runs it ended.
   * @throws {TelltaleError} `log_unavailable`, when the log stays away.
   */
  recover(): Promise<number> {
    void this.commands.recover();
    void this.#expiries.recover();
    const onEnded = (runId: string) => this.remote.forget(runId);
    // What fails now is handed out again when another lease has passed.
    this.#reaper ??= setInterval(() => endLostRuns(this.#log, 0, onEnded).catch(() => undefined), REAP_MS).unref();
    return endLostRuns(this.#log, this.#options.awayMs, onEnded);
  }

  /** Stops the agents, ends their runs (`executor_lost`) and lets go of everything. Starts nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#reaper);
    this.commands.close();
    this.#expiries.close();
    await this.#local.close();
  }

  /** @throws {TelltaleError} `overloaded` */
  #checkOpen(): void {
    if (this.#closing) throw new TelltaleError('overloaded', 'The server is stopping. Start the run in a moment.');
  }

  /** @throws {TelltaleError} `run_not_found`, `run_deleted`. */
  #run(runId: string): Promise<RunRecord> {
    return findRun(this.#log, runId);
  }
}
