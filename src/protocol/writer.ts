import type { ErrorInfo, EventData, EventType } from './event.ts';

/** Text as it comes: a whole string, or pieces as a model streams them. */
export type TextSource = string | AsyncIterable<string>;

/**
 * What a body may be: an async function, or an async generator. A generator's yields are reported as they come (text as
 * the answer, or, inside a tool, as its progress); what it returns is the result.
 */
export type Body<Scope, Result> = (scope: Scope) => Promise<Result> | Result | AsyncGenerator<unknown, Result, void>;

/** A step of a plan. `id` stays when the plan changes; viewers show `name`. */
export interface PlanStep {
  readonly id: string;
  readonly name: string;
}

/** What to ask people, and how long to wait. */
export interface ApprovalRequest {
  readonly prompt: string;
  /** The tool call that waits for it. */
  readonly toolCallId?: string;
  /** What may be answered; `approve` and `deny` by default. The first is what "yes" means. */
  readonly options?: readonly string[];
  /** Milliseconds after which it is too late to answer. Without it, as long as the run lasts. */
  readonly expiresIn?: number;
}

/** How people answered. */
export interface ApprovalAnswer {
  readonly approvalId: string;
  /** True for the first of the options alone. */
  readonly approved: boolean;
  /** One of the options; absent where nobody answered in time. */
  readonly decision?: string;
  readonly by?: string;
  readonly comment?: string;
}

/** Something said to a run while it runs. */
export interface RunInput {
  readonly inputId: string;
  readonly input: unknown;
  readonly by?: string;
}

/** A tool call that is to begin; with its id where the log has it already. */
export interface ToolCallRef {
  readonly toolCallId?: string;
}

/**
 * How an agent tells what it does. Given to every registered agent; adapters write to it as well.
 *
 * Guarantees:
 * - **Never in the way.** No method throws because of the log, and none that returns nothing ever waits. What cannot be
 *   written as it is (too large, not JSON) is written as `{truncated: true, bytes, preview}` or reported and counted.
 * - **In order.** Events stand in the log in the order of the calls, one batch per turn of the event loop.
 * - **Bounded.** Under pressure deltas of one entity are merged and awaitable methods wait; a log that stays away ends
 *   the run (`log_unavailable`) by aborting `signal`.
 * - **Right agent.** Scopes follow the async context: a tool deep inside a framework reports to the agent that called it.
 *
 * @example
 * await run.step('Read', async () => {
 *   const text = await run.tool('read', { path }, () => readFile(path, 'utf8'));
 *   await run.say(model.stream(text));
 * });
 */
export interface RunWriter {
  readonly runId: string;
  readonly threadId: string;
  /** Aborted when the run was cancelled, timed out or lost its log. Give it to everything that can be stopped. */
  readonly signal: AbortSignal;

  /** Any event. Malformed known ones become `error.reported {code: "invalid_event"}`. */
  emit<T extends EventType>(type: T, data: EventData<T>): void;
  /** A fact of your own: `custom {name, value}`. */
  custom(name: string, value: unknown): void;

  /** A nested agent: `agent.started`, everything it does with its name on it, and its end. */
  agent<R>(name: string, body: Body<RunWriter, R>, about?: { input?: unknown; model?: string }): Promise<R>;
  /**
   * The same for frameworks that tell of an agent's start and end and give no body to run: its `agent.started`, and the
   * writer on which the caller emits all the rest, `agent.completed` or `agent.failed` included.
   */
  openAgent(name: string, about?: { input?: unknown; model?: string }): RunWriter;
  /** A tool call: `tool.started`, `tool.called`, progress, and `tool.completed` or `tool.failed` (rethrown). */
  tool<R>(name: string, args: unknown, body: Body<RunWriter, R>, about?: { toolCallId?: string }): Promise<R>;
  /** A step of the plan (by its id or name) or one that was not planned. */
  step<R>(step: string | PlanStep, body: Body<RunWriter, R>): Promise<R>;
  /** The plan; from an AsyncIterable it grows step by step. */
  plan(
    goal: string,
    steps: readonly (string | PlanStep)[] | AsyncIterable<string | PlanStep>,
  ): Promise<readonly PlanStep[]>;
  /** Thinking, until it is complete. Resolves with the whole text. */
  think(text: TextSource): Promise<string>;
  /** A message of the answer, until it is complete. Resolves with the whole text. */
  say(text: TextSource): Promise<string>;

  /** Not terminal: the run goes on. */
  error(error: ErrorInfo | Error): void;
  /**
   * Resolves when the agent may go on: at once, or after a pause, or after a decision about its budget. Rejects with the
   * abort reason once the run was cancelled, timed out or used up its budget. Tools and model calls of adapters do this
   * by themselves before they begin.
   *
   * @param call for adapters: the tool call that is to begin, which the maximum of tool calls holds back as well.
   */
  checkpoint(call?: ToolCallRef): Promise<void>;
  /**
   * Runs another registered agent as a run of its own in the same thread, with this run as its parent, and resolves with
   * its output. It takes no place in the queue, and is cancelled with its parent.
   *
   * @throws {TelltaleError} `agent_not_found`; `too_deep` below eight runs; `agent_failed` with the child's error, or where
   * it was cancelled.
   * @example
   * const summary = await run.child('summariser', { text });
   */
  child(agent: string, input?: unknown): Promise<unknown>;
  /**
   * Asks people, and waits for the first answer from any viewer, or until it expires. The question is in the log, so it
   * is there after every reload. Rejects with the abort reason once the run is stopped.
   *
   * @throws {TelltaleError} `invalid_request` for a question that cannot be asked so; nothing is stored then.
   * @example
   * const { approved } = await run.approve({ prompt: `Delete ${file}?`, expiresIn: 600_000 });
   */
  approve(request: ApprovalRequest): Promise<ApprovalAnswer>;
  /** What people say to the run while it runs, from its start on, each once per call; ends when the run is stopped. */
  inputs(): AsyncIterable<RunInput>;
}
