import { type Ack, foldRun, type Log, type RunOpening, type RunRecord } from '../log/index.ts';
import {
  checkId,
  type EncodedEvent,
  type EventData,
  type EventType,
  encodeEvent,
  isEnded,
  isId,
  LIMITS,
  type Limits,
  newRunId,
  parseDraft,
  type RunSnapshot,
  type RunStatus,
  TelltaleError,
} from '../protocol/index.ts';
import { checkAgentName } from './agent-name.ts';
import { Commands } from './commands.ts';
import type { WriterCounts } from './counts.ts';
import { eventContext } from './event-context.ts';
import { type AgentFunction, Executor } from './executor.ts';
import { findRun, runNotFound } from './find-run.ts';
import { plain } from './plain.ts';
import { endLostRuns } from './recovery.ts';
import { RemoteRuns } from './remote-runs.ts';
import { startOnce } from './start-once.ts';
import { within } from './within.ts';

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
}

/** A function that runs under a name. */
export interface Agent {
  readonly name: string;
  readonly fn: AgentFunction;
  readonly description?: string;
  /** The model it mainly uses, as a label. */
  readonly model?: string;
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
  readonly owner?: string;
  /** Makes repeating safe: the run is started once for each key (1 to 255 visible ASCII characters). Not with a `runId`. */
  readonly idempotencyKey?: string;
  /** Remote only: the run ends as `executor_lost` when nothing was appended for so many seconds. Without it, never. */
  readonly lease?: number;
}

/** A run whose `run.started` is durable. */
export interface Started {
  readonly runId: string;
  readonly threadId: string;
  readonly status: RunStatus;
  /** Of `run.started`. */
  readonly ack: Ack;
  /** The run had been started before under the same `idempotencyKey`; `status` is its status now. */
  readonly duplicate?: true;
}

const DEFAULTS = {
  keepStacks: false,
  graceMs: 5_000,
  budgetBytes: 4 * 1024 * 1024,
  awayMs: 30_000,
  commandTimeoutMs: 10_000,
};

/** How often is looked for leases that ran out. */
const REAP_MS = 1_000;
/** Milliseconds for which `start` waits for a log that is away, before it says so. */
const OPEN_MS = 2_000;
/** Milliseconds that the agents of a stopping server have, and how long `close` waits for the log to take their ends. */
const CLOSING = { graceMs: 1_000, totalMs: 5_000 };

/**
 * The runs of one log: starts registered agents, takes what remote producers send and what people ask for, and sees to it
 * that every run ends.
 */
export class Runs {
  /** What people ask of runs: cancel, pause, resume. */
  readonly commands: Commands;
  /** What remote producers append. */
  readonly remote: RemoteRuns;
  /** What agents wrote that could not be stored as it was. */
  readonly counts: Readonly<WriterCounts>;
  readonly #counts: WriterCounts = { truncated: 0, invalid: 0, dropped: 0 };
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #options: typeof DEFAULTS;
  readonly #agents = new Map<string, Agent>();
  readonly #executors = new Set<Executor>();
  #closing = false;
  #reaper: NodeJS.Timeout | undefined;

  constructor(log: Log, { limits, ...options }: RunsOptions = {}) {
    this.#log = log;
    this.#limits = { ...LIMITS, ...limits };
    this.#options = { ...DEFAULTS, ...options };
    this.counts = this.#counts;
    this.commands = new Commands(log, this.#limits, this.#options.commandTimeoutMs);
    this.remote = new RemoteRuns(log, this.#limits);
  }

  get agents(): ReadonlyMap<string, Agent> {
    return this.#agents;
  }

  /**
   * Makes a function startable under a name. It gets a writer and the run's input; what it returns is the run's output.
   * An async generator's yields are told as they come: a string as text of the answer, `{type, data}` as an event.
   *
   * @throws {TelltaleError} `invalid_option` when the name is taken or not 1 to 256 characters.
   * @example
   * runs.register('greeter', async (run, { name }) => {
   *   await run.say(`Hello ${name}`);
   * });
   */
  register(name: string, fn: AgentFunction, about: { description?: string; model?: string } = {}): void {
    checkAgentName(name, this.#agents);
    this.#agents.set(name, { ...about, name, fn });
  }

  /**
   * Opens a run; resolves when `run.started` is durable. A local one is then executed here, to its end.
   *
   * @throws {TelltaleError} `agent_not_found`, `invalid_request`, `run_exists`, `run_deleted`, `idempotency_conflict`; `event_too_large` (remote); `overloaded`
   * while closing; retryable ones of the log, after which it is not known whether the run was opened: where it was, it
   * ends as `log_unavailable`.
   */
  async start(request: StartRequest): Promise<Started> {
    if (this.#closing) throw new TelltaleError('overloaded', 'The server is stopping. Start the run in a moment.');
    if (request.idempotencyKey === undefined) return this.#start(request);
    return startOnce(this.#log, request, (keyed, requestDigest) => this.#start(keyed, requestDigest));
  }

  async #start(request: StartRequest, requestDigest?: string): Promise<Started> {
    const { mode = 'local', owner, lease } = request;
    if (lease !== undefined && mode === 'local') {
      throw new TelltaleError('invalid_request', 'lease: only a run with "mode": "remote" can have one.');
    }
    const runId = request.runId === undefined ? newRunId() : checkId(request.runId, 'runId');
    const threadId = request.threadId === undefined ? runId : checkId(request.threadId, 'threadId');
    const { agent, input, metadata } = request;
    const draft = parseDraft({ type: 'run.started', data: plain({ agent, mode, input, metadata }) }, 'run');
    const data = draft.data as EventData<'run.started'>;
    const opening: RunOpening = {
      agent,
      createdAt: new Date().toISOString(),
      ...(owner !== undefined && { owner }),
      ...(mode === 'local' && { leased: true }),
      ...(lease !== undefined && { leaseMs: lease * 1000 }),
      ...(requestDigest !== undefined && { requestDigest }),
    };
    const ack =
      mode === 'local'
        ? await this.#startLocal(threadId, runId, data, opening, input)
        : await this.#log.append(threadId, [this.#encode('run.started', data, { threadId, runId })], {
            runId,
            opens: opening,
          });
    return { runId, threadId, status: 'running', ack };
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
   * Takes over the deadlines of commands that an earlier process took. Call it when a store was opened.
   *
   * @returns how many runs it ended.
   * @throws {TelltaleError} `log_unavailable`, when the log stays away.
   */
  recover(): Promise<number> {
    void this.commands.recover();
    // What fails now is handed out again when another lease has passed.
    this.#reaper ??= setInterval(() => endLostRuns(this.#log, 0).catch(() => undefined), REAP_MS).unref();
    return endLostRuns(this.#log, this.#options.awayMs);
  }

  /** Stops the agents, ends their runs (`executor_lost`) and lets go of everything. Starts nothing more. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#reaper);
    this.commands.close();
    const executors = [...this.#executors];
    const stopped = new TelltaleError('executor_lost', 'The server was stopped.');
    const graceMs = Math.min(this.#options.graceMs, CLOSING.graceMs);
    for (const executor of executors) executor.fail(stopped, graceMs);
    const impatient = setTimeout(() => {
      for (const executor of executors) executor.abandon();
    }, CLOSING.totalMs);
    await Promise.all(executors.map((executor) => executor.ended));
    clearTimeout(impatient);
  }

  async #startLocal(
    threadId: string,
    runId: string,
    data: EventData<'run.started'>,
    opening: RunOpening,
    input: unknown,
  ): Promise<Ack> {
    const agent = this.#agents.get(data.agent);
    if (!agent) {
      throw new TelltaleError('agent_not_found', `No agent "${data.agent}" is registered here.`, { agent: data.agent });
    }
    const shared = { log: this.#log, limits: this.#limits, counts: this.#counts, ...this.#options };
    const executor = new Executor({ ...shared, threadId, runId });
    this.#executors.add(executor);
    const release = () => this.#executors.delete(executor);
    const opened = executor.open(data, opening);
    opened.then((ack) => executor.execute(agent.fn, input, ack)).then(release, release);
    return within(OPEN_MS, opened, () => {
      const { trouble } = executor;
      const away = new TelltaleError(
        'log_unavailable',
        trouble?.message ?? `The log did not answer for ${OPEN_MS} ms.`,
      );
      executor.fail(away);
      return trouble ?? away;
    });
  }

  /** @throws {TelltaleError} `run_not_found`, `run_deleted`. */
  #run(runId: string): Promise<RunRecord> {
    return findRun(this.#log, runId);
  }

  #encode<T extends EventType>(
    type: T,
    data: EventData<T>,
    run: Pick<RunRecord, 'threadId' | 'runId' | 'parentRunId'>,
  ): EncodedEvent {
    return encodeEvent(parseDraft({ type, data }), eventContext(run), this.#limits.eventBytes);
  }
}
