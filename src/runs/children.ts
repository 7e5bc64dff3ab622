/** The runs that one run has started and waits for (`run.child`): they end with it. */
import { TelltaleError } from '../protocol/index.ts';
import type { RunEnd } from './executor.ts';
import type { Gate } from './gate.ts';
import type { Hold } from './time-limit.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Opens a run of another agent beneath this one, and sets it going. */
export type StartChild = (child: {
  readonly runId: string;
  readonly agent: string;
  readonly input: unknown;
  readonly above: Gate;
}) => Promise<StartedChild>;

export interface StartedChild {
  /** Resolves when its end is durable. Never rejects. */
  readonly ended: Promise<RunEnd>;
  cancel(reason: string): void;
  hold(why: Hold): void;
  release(why: Hold): void;
}

interface Parent {
  readonly runId: string;
  /** How many runs are above it. */
  readonly depth: number;
  readonly signal: AbortSignal;
  readonly gate: Gate;
  readonly startChild: StartChild;
}

/** An agent that starts itself again and again takes no place in the queue, so nothing else would stop it. */
const MOST_ABOVE = 8;

export class Children {
  readonly #parent: Parent;
  readonly #running = new Set<StartedChild>();
  readonly #holds = new Set<Hold>();
  /** Why no more are wanted. */
  #over: string | undefined;

  constructor(parent: Parent) {
    this.#parent = parent;
    const { signal, runId } = parent;
    signal.addEventListener('abort', () => this.cancel(`Run ${runId}, which started it, was stopped.`), { once: true });
  }

  /**
   * Runs an agent as a run of its own, and resolves with its output.
   *
   * @throws {TelltaleError} `agent_not_found`; `too_deep`; `agent_failed` with the child's error, or where it was
   * cancelled; the abort reason of the run that waits.
   */
  async run(runId: string, agent: string, input: unknown): Promise<unknown> {
    const { depth, signal, gate, startChild } = this.#parent;
    if (depth >= MOST_ABOVE) {
      const detail = `A run may have ${MOST_ABOVE} runs above it, and this one has: it cannot start ${agent}.`;
      throw new TelltaleError('too_deep', detail, { maxDepth: MOST_ABOVE });
    }
    // Waited for also once this run is stopped: no child starts in the log behind its parent's end.
    const child = await startChild({ runId, agent, input, above: gate });
    this.#running.add(child);
    const ended = child.ended.finally(() => this.#running.delete(child));
    // The end, or a pause, may have come while it was opened.
    if (this.#over !== undefined) child.cancel(this.#over);
    for (const why of this.#holds) child.hold(why);
    return outputOf(await unlessAborted(() => ended, signal), runId, agent);
  }

  /** Their clocks stand still. */
  hold(why: Hold): void {
    this.#holds.add(why);
    for (const child of this.#running) child.hold(why);
  }

  release(why: Hold): void {
    this.#holds.delete(why);
    for (const child of this.#running) child.release(why);
  }

  /** Cancels those that run, and any that are still on their way. The first reason counts. */
  cancel(reason: string): void {
    this.#over ??= reason;
    for (const child of this.#running) child.cancel(this.#over);
  }
}

function outputOf(end: RunEnd, runId: string, agent: string): unknown {
  switch (end.type) {
    case 'run.completed':
      return end.data.output;
    case 'run.failed': {
      const { error } = end.data;
      throw new TelltaleError('agent_failed', `Run ${runId} (${agent}) failed: ${error.message}`, { runId, error });
    }
    case 'run.cancelled': {
      const why = end.data.reason === undefined ? '.' : `: ${end.data.reason}`;
      throw new TelltaleError('agent_failed', `Run ${runId} (${agent}) was cancelled${why}`, { runId });
    }
    default:
      throw new TelltaleError('agent_failed', `Run ${runId} (${agent}) was lost.`, { runId });
  }
}
