import type { Ack, Log, RunOpening } from '../log/index.ts';
import { type BudgetLimits, type EventData, type Limits, parseDraft, TelltaleError } from '../protocol/index.ts';
import { checkAgentName } from './agent-name.ts';
import { budgetOf, checkBudget } from './budget-of.ts';
import type { StartChild, StartedChild } from './children.ts';
import type { WriterCounts } from './counts.ts';
import { type AgentFunction, Executor, type RunEnd } from './executor.ts';
import type { Expiries } from './expiries.ts';
import type { Gate } from './gate.ts';
import { plain } from './plain.ts';
import { RunQueue } from './queue.ts';
import { checkRunLimits, type RunLimits } from './run-limits.ts';
import type { RunsOptions } from './runs.ts';
import { within } from './within.ts';

/** A function that runs under a name. */
export interface Agent extends RunLimits {
  readonly name: string;
  readonly fn: AgentFunction;
  readonly description?: string;
  /** The model it mainly uses, as a label for people: `claude-sonnet-5`, or `rules-1 (no LLM)`. */
  readonly model?: string;
  /** The most that one of its runs may spend. */
  readonly budget?: BudgetLimits;
}

/** What is executed here. */
export interface LocalRun {
  readonly threadId: string;
  readonly runId: string;
  readonly data: EventData<'run.started'>;
  readonly opening: RunOpening;
  readonly input: unknown;
  /** Runs it in the place of the agent that is registered. */
  readonly fn?: AgentFunction | undefined;
  readonly timeout?: number | undefined;
  /** As whoever starts it wants it. */
  readonly budget?: BudgetLimits | undefined;
  /** It takes turns in its thread (`StartRequest`). */
  readonly inTurn?: boolean | undefined;
  /** How many runs are above it, and the gate of the one that started it. */
  readonly depth: number;
  readonly above?: Gate;
  /** First one wins in the thread, as in `AppendOptions`. */
  readonly once?: string | undefined;
}

/** Milliseconds for which `start` waits for a log that is away, before it says so. */
const OPEN_MS = 2_000;
/** Milliseconds that the agents of a stopping server have, and how long `close` waits for the log to take their ends. */
const CLOSING = { graceMs: 1_000, totalMs: 5_000 };

/** How long and how much; all of it is set but for what is spent. */
type Patience = Required<Omit<RunsOptions, 'limits' | 'budget' | 'price'>> & Pick<RunsOptions, 'budget' | 'price'>;

/** Starts the runs of registered agents, each in its turn, and stops them with the server. */
export class LocalRuns {
  readonly agents = new Map<string, Agent>();
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #counts: WriterCounts;
  readonly #expiries: Expiries;
  readonly #options: Patience;
  readonly #executors = new Set<Executor>();
  readonly #queue: RunQueue;

  constructor(log: Log, limits: Limits, counts: WriterCounts, expiries: Expiries, options: Patience) {
    this.#log = log;
    this.#limits = limits;
    this.#counts = counts;
    this.#expiries = expiries;
    this.#options = options;
    this.#queue = new RunQueue(this.#options);
  }

  /** @throws {TelltaleError} `invalid_option` when the name is taken or not 1 to 256 characters, or a limit is none. */
  register(name: string, fn: AgentFunction, about: Omit<Agent, 'name' | 'fn'>): void {
    checkAgentName(name, this.agents);
    checkRunLimits(about);
    checkBudget(about.budget, this.#options.budget);
    this.agents.set(name, { ...about, name, fn });
  }

  /**
   * Takes a place and opens the run, which is then executed to its end, by itself.
   *
   * @throws {TelltaleError} `agent_not_found`; `invalid_request` for a budget that is none; `overloaded` where as many wait as may. All before anything is stored.
   */
  start(run: LocalRun): { opened: Promise<Ack>; ended: Promise<RunEnd>; position?: number; executor: Executor } {
    const { data, opening, input, fn, timeout = Number.POSITIVE_INFINITY } = run;
    const agent: Agent | undefined = fn ? { name: data.agent, fn } : this.agents.get(data.agent);
    if (!agent) {
      throw new TelltaleError('agent_not_found', `No agent "${data.agent}" is registered here.`, { agent: data.agent });
    }
    const budget = budgetOf(run.budget, this.#options.budget, agent.budget);
    const timeoutMs = 1_000 * Math.min(timeout, agent.timeout ?? timeout, this.#options.timeout);
    const turnsIn = run.inTurn ? run.threadId : undefined;
    // A run that waited for one that it has started, which waits in the queue, would wait for ever.
    const place = run.depth === 0 ? this.#queue.enter(agent.name, agent.concurrency, turnsIn) : undefined;
    const executor: Executor = new Executor({
      ...this.#options,
      ...run,
      log: this.#log,
      limits: this.#limits,
      counts: this.#counts,
      expiries: this.#expiries,
      timeoutMs,
      budget,
      parentRunId: opening.parentRunId,
      startChild: (child) => this.#startChild(run, child, executor),
    });
    this.#executors.add(executor);
    const position = place?.position;
    const opened = executor.open(data, opening, position, run.once);
    const ended = opened.then((ack) => executor.execute(agent.fn, input, ack, place));
    const release = () => {
      this.#executors.delete(executor);
      place?.leave();
    };
    ended.then(release, release);
    const inTime = within(OPEN_MS, opened, () => {
      const { trouble } = executor;
      const away = new TelltaleError(
        'log_unavailable',
        trouble?.message ?? `The log did not answer for ${OPEN_MS} ms.`,
      );
      executor.fail(away);
      return trouble ?? away;
    });
    return { opened: inTime, ended, executor, ...(position !== undefined && { position }) };
  }

  async #startChild(
    parent: LocalRun,
    child: Parameters<StartChild>[0],
    parentExecutor: Executor,
  ): Promise<StartedChild> {
    const { agent, input, runId, above } = child;
    const { owner, tenant } = parent.opening;
    const { opened, ended, executor } = this.start({
      threadId: parent.threadId,
      runId,
      above,
      depth: parent.depth + 1,
      budget: parentExecutor.budget?.left,
      data: startedData({ agent, mode: 'local', input }),
      opening: {
        agent,
        createdAt: new Date().toISOString(),
        parentRunId: parent.runId,
        leased: true,
        ...(owner !== undefined && { owner }),
        ...(tenant !== undefined && { tenant }),
      },
      input,
    });
    await opened;
    return {
      ended: ended.then((end) => {
        parentExecutor.budget?.spentBelow(executor.budget?.spent);
        return end;
      }),
      cancel: (reason) => executor.cancel({ reason }),
      hold: (why) => executor.hold(why),
      release: (why) => executor.release(why),
    };
  }

  /** Stops the agents, and ends their runs (`executor_lost`), those that wait as well. */
  async close(): Promise<void> {
    // Those that others have started first: each ends for the same reason, not as cancelled by the end of another.
    const executors = [...this.#executors].reverse();
    const stopped = new TelltaleError('executor_lost', 'The server was stopped.');
    const graceMs = Math.min(this.#options.graceMs, CLOSING.graceMs);
    for (const executor of executors) executor.fail(stopped, graceMs);
    const impatient = setTimeout(() => {
      for (const executor of executors) executor.abandon();
    }, CLOSING.totalMs);
    await Promise.all(executors.map((executor) => executor.ended));
    clearTimeout(impatient);
  }
}

/** What a run's first event says. @throws {TelltaleError} `invalid_event` */
export const startedData = (data: { [K in keyof EventData<'run.started'>]: unknown }): EventData<'run.started'> =>
  parseDraft({ type: 'run.started', data: plain(data) }, 'run').data as EventData<'run.started'>;
