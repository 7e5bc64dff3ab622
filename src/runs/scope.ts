import { currentRun, runAs } from '../adapters/index.ts';
import {
  type AgentRef,
  type ApprovalAnswer,
  type ApprovalRequest,
  type Body,
  type ErrorInfo,
  type EventData,
  type EventType,
  newRunId,
  type PlanStep,
  type RunInput,
  type RunWriter,
  type TextSource,
  type ToolCallRef,
} from '../protocol/index.ts';
import type { Children } from './children.ts';
import { drive, untilAborted } from './drive.ts';
import { errorInfo } from './error-info.ts';
import { pieces } from './fit.ts';
import type { Gate } from './gate.ts';
import { Ids, label } from './ids.ts';
import type { Outbox } from './outbox.ts';
import type { People } from './people.ts';
import { plain } from './plain.ts';
import { Plan } from './plan.ts';
import type { Recorder } from './recorder.ts';

/** What all scopes of one run share. */
export interface RunCore {
  readonly runId: string;
  readonly threadId: string;
  readonly signal: AbortSignal;
  readonly gate: Gate;
  readonly recorder: Recorder;
  readonly outbox: Outbox;
  readonly people: People;
  /** A text of more bytes is written as deltas. */
  readonly eventBytes: number;
  readonly keepStacks: boolean;
  readonly children: Children;
}

type Steps = readonly (string | PlanStep)[] | AsyncIterable<string | PlanStep>;

/** The writer of one scope: the run itself, a nested agent, a tool call or a step. */
export class RunScope implements RunWriter {
  readonly #core: RunCore;
  readonly #ids: Ids;
  readonly #plan: Plan;
  readonly #agent: AgentRef | undefined;
  readonly #parent: RunScope | undefined;
  /** The answer text that a generator of this scope is yielding. */
  #stretch: string | undefined;

  constructor(core: RunCore, parent?: RunScope, agent?: AgentRef) {
    this.#core = core;
    this.#parent = parent;
    this.#agent = agent ?? (parent ? parent.#agent : undefined);
    this.#ids = parent ? parent.#ids : new Ids();
    this.#plan = parent ? parent.#plan : new Plan();
  }

  get runId(): string {
    return this.#core.runId;
  }

  get threadId(): string {
    return this.#core.threadId;
  }

  get signal(): AbortSignal {
    return this.#core.signal;
  }

  emit<T extends EventType>(type: T, data: EventData<T>): void {
    const { recorder } = this.#core;
    recorder.emit(type, data, this.#here().#agent);
  }

  custom(name: string, value: unknown): void {
    this.#here().#record('custom', { name, value: value ?? null });
  }

  openAgent(name: string, about: { input?: unknown; model?: string; childRunId?: string } = {}): RunScope {
    const { input, model, childRunId } = about;
    const here = this.#begin();
    const scope = new RunScope(this.#core, here, this.#ids.agent(label(name, 'agent'), here.#agent));
    scope.#record('agent.started', { input, model, childRunId });
    return scope;
  }

  agent<R>(name: string, body: Body<RunWriter, R>, about?: Parameters<RunScope['openAgent']>[1]): Promise<R> {
    const scope = this.openAgent(name, about);
    return scope.#enclose(body, (value) => scope.#tell(value), {
      done: (output, durationMs) => scope.#record('agent.completed', { output, durationMs }),
      failed: (error, durationMs) => scope.#record('agent.failed', { error, durationMs }),
      code: 'agent_failed',
    });
  }

  child(agent: string, input?: unknown): Promise<unknown> {
    const childRunId = newRunId();
    const body = async (scope: RunWriter): Promise<unknown> => {
      await scope.checkpoint();
      return this.#core.children.run(childRunId, agent, input);
    };
    // An agent of this run like any other, so that whoever watches this run alone sees that it works, and at what.
    return this.agent(agent, body, { input, childRunId });
  }

  tool<R>(toolName: string, args: unknown, body: Body<RunWriter, R>, about: { toolCallId?: string } = {}): Promise<R> {
    const here = this.#begin();
    const scope = new RunScope(this.#core, here);
    const name = label(toolName, 'tool');
    const toolCallId = about.toolCallId ? label(about.toolCallId, 'tool') : this.#ids.next('tool');
    const begin = (): Promise<R> => {
      scope.#record('tool.started', { toolCallId, name });
      scope.#record('tool.called', { toolCallId, name, args: args ?? {} });
      return scope.#enclose(body, (value) => scope.#progress(toolCallId, value), {
        done: (result, durationMs) => scope.#record('tool.completed', { toolCallId, name, result, durationMs }),
        failed: (error, durationMs) => scope.#record('tool.failed', { toolCallId, name, error, durationMs }),
        code: 'tool_failed',
      });
    };
    // Begun in the very turn in which the gate is open: who comes next finds it counted.
    const enter = (): Promise<R> => {
      const held = this.#core.gate.pass({});
      return held ? unattended(held.then(enter)) : begin();
    };
    return enter();
  }

  step<R>(step: string | PlanStep, body: Body<RunWriter, R>): Promise<R> {
    const scope = new RunScope(this.#core, this.#begin());
    const { id: stepId, name, index } = this.#plan.begin(step) ?? { ...this.#named(step), index: undefined };
    scope.#record('step.started', { stepId, name, index });
    return scope.#enclose(body, (value) => scope.#tell(value), {
      done: (result, durationMs) => scope.#record('step.completed', { stepId, result, durationMs }),
      failed: (error, durationMs) => scope.#record('step.failed', { stepId, error, durationMs }),
      code: 'step_failed',
    });
  }

  plan(goal: string, steps: Steps): Promise<readonly PlanStep[]> {
    const here = this.#begin();
    return here.#told('plan_failed', here.#makePlan(goal, steps));
  }

  async #makePlan(goal: string, steps: Steps): Promise<readonly PlanStep[]> {
    let planned: PlanStep[] = [];
    const tell = (type: 'plan.created' | 'plan.updated') => {
      this.#plan.set(planned);
      this.#record(type, { goal, steps: planned });
    };
    if (!(Symbol.asyncIterator in steps)) {
      planned = steps.map((step) => this.#named(step));
      tell('plan.created');
    } else {
      tell('plan.created');
      for await (const step of untilAborted(steps, this.signal)) {
        planned.push(this.#named(step));
        tell('plan.updated');
        await this.#room();
      }
    }
    await this.#room();
    return planned;
  }

  think(text: TextSource): Promise<string> {
    const here = this.#begin();
    const { recorder } = this.#core;
    const reasoningId = this.#ids.next('reasoning');
    const began = performance.now();
    here.#record('reasoning.started', { reasoningId });
    const spoken = here.#speak(
      text,
      (delta) => recorder.delta('reasoning.delta', { reasoningId, delta }, here.#agent),
      (whole) => here.#record('reasoning.completed', { reasoningId, text: whole, durationMs: elapsed(began) }),
    );
    return here.#told('text_failed', spoken);
  }

  say(text: TextSource): Promise<string> {
    const here = this.#begin();
    const { recorder } = this.#core;
    const messageId = this.#ids.next('message');
    here.#record('message.started', { messageId, role: 'assistant' });
    const spoken = here.#speak(
      text,
      (delta) => recorder.delta('message.delta', { messageId, delta }, here.#agent),
      (whole) => here.#record('message.completed', { messageId, text: whole }),
    );
    return here.#told('text_failed', spoken);
  }

  error(error: ErrorInfo | Error): void {
    const told = error instanceof Error ? errorInfo(error, 'error', this.#core.keepStacks) : error;
    this.#here().#record('error.reported', { error: told });
  }

  checkpoint(call?: ToolCallRef): Promise<void> {
    return unattended(this.#pass(call));
  }

  async #pass(call?: ToolCallRef): Promise<void> {
    this.signal.throwIfAborted();
    await this.#room();
    // A turn of the event loop, in which a command can arrive at an agent that never waits for anything else.
    await new Promise((resolve) => setImmediate(resolve));
    this.signal.throwIfAborted();
    const about = call && { ...call, agentId: this.#agent?.id };
    for (let held = this.#core.gate.pass(about); held; held = this.#core.gate.pass(about)) await held;
  }

  approve(request: ApprovalRequest): Promise<ApprovalAnswer> {
    const here = this.#begin();
    const { gate, people } = this.#core;
    const ask = () => people.ask(request, () => this.#ids.next('approval'), here.#agent);
    const held = gate.hold();
    const asked = held ? held.then(() => gate.idle(ask)) : gate.idle(ask);
    const answer = asked.then(async (it) => {
      // A command may be on its way here behind the answer.
      await this.checkpoint();
      return it;
    });
    return unattended(answer);
  }

  inputs(): AsyncIterable<RunInput> {
    const { gate, people } = this.#core;
    // Stopped while a pause held what was heard: to throw would end the process over a listener that nobody waits for.
    const end = (error: unknown): IteratorResult<RunInput, void> => {
      if (!gate.isClosed) throw error;
      return { done: true, value: undefined };
    };
    return {
      [Symbol.asyncIterator]: () => {
        const inputs = people.inputs()[Symbol.asyncIterator]();
        return { next: () => gate.idle(() => inputs.next()).catch(end), return: () => inputs.return() };
      },
    };
  }

  /** Runs a body in this scope, and tells how it ended: a failure stands in the log, whether or not anybody waits. */
  #enclose<R>(body: Body<RunWriter, R>, onYield: (value: unknown) => void, end: Ending): Promise<R> {
    const began = performance.now();
    const result = this.within(body, onYield).then(
      async (value) => {
        end.done(value, elapsed(began));
        await this.#room();
        return value;
      },
      async (error) => {
        end.failed(errorInfo(error, end.code, this.#core.keepStacks), elapsed(began));
        await this.#room();
        throw error;
      },
    );
    return unattended(result);
  }

  /** Tells a failure that no event of its own tells: the caller has it too, but may not wait for it. */
  #told<R>(code: string, result: Promise<R>): Promise<R> {
    result.catch((error) => {
      if (this.signal.aborted) return;
      this.#record('error.reported', { error: errorInfo(error, code, this.#core.keepStacks) });
    });
    return result;
  }

  /** Runs a body in this scope. */
  async within<R>(body: Body<RunWriter, R>, onYield: (value: unknown) => void = (it) => this.#tell(it)): Promise<R> {
    const told = (value: unknown) => {
      onYield(value);
      return this.#core.outbox.isFull ? this.#room() : undefined;
    };
    try {
      return await runAs(this, () => drive(body(this), told, this.signal));
    } finally {
      this.#endStretch();
    }
  }

  /**
   * Where the caller is: the scope of its async context where that lies within this one, so that a tool reports to the
   * agent that called it whichever writer it holds; else this one.
   */
  #here(): RunScope {
    const there = currentRun();
    if (!(there instanceof RunScope)) return this;
    for (let scope: RunScope | undefined = there; scope; scope = scope.#parent) if (scope === this) return there;
    return this;
  }

  /** The same, for calls that begin something: it ends the answer text that was being yielded. */
  #begin(): RunScope {
    const here = this.#here();
    for (let scope: RunScope | undefined = here; scope; scope = scope.#parent) scope.#endStretch();
    return here;
  }

  #record<T extends EventType>(type: T, data: { [K in keyof EventData<T>]: unknown }): void {
    this.#core.recorder.record(type, data, this.#agent);
  }

  #room(): Promise<void> {
    return this.#core.outbox.room();
  }

  /** A yield of an agent or a step. */
  #tell(value: unknown): void {
    if (typeof value === 'string') {
      if (this.#stretch === undefined) {
        this.#stretch = this.#ids.next('message');
        this.#record('message.started', { messageId: this.#stretch, role: 'assistant' });
      }
      if (value !== '')
        this.#core.recorder.delta('message.delta', { messageId: this.#stretch, delta: value }, this.#agent);
      return;
    }
    this.#endStretch();
    const { type, data } = (plain(value) ?? {}) as { type?: unknown; data?: unknown };
    this.#core.recorder.emit(type, data, this.#agent);
  }

  #endStretch(): void {
    if (this.#stretch !== undefined) this.#record('message.completed', { messageId: this.#stretch });
    this.#stretch = undefined;
  }

  /** A yield of a tool. */
  #progress(toolCallId: string, yielded: unknown): void {
    const value = plain(yielded);
    const isProgress =
      typeof value === 'object' && value !== null && ['progress', 'message', 'partial'].some((key) => key in value);
    if (typeof value === 'string') this.#record('tool.progress', { toolCallId, message: value });
    else if (isProgress) this.#record('tool.progress', { ...value, toolCallId });
    else this.#record('tool.progress', { toolCallId, partial: value ?? null });
  }

  /** A text that is there is written whole; one that comes in pieces, or is too large for that, as deltas. */
  async #speak(text: TextSource, delta: (piece: string) => void, complete: (text?: string) => void): Promise<string> {
    if (typeof text === 'string') {
      // Six bytes is the most that JSON makes of a character; a quarter is for the rest of the event.
      if (text.length * 6 <= (this.#core.eventBytes * 3) / 4) complete(text);
      else {
        for (const piece of pieces(text, this.#core.eventBytes)) delta(piece);
        complete();
      }
      await this.#room();
      return text;
    }
    let whole = '';
    try {
      for await (const chunk of untilAborted(text, this.signal)) {
        const piece = String(chunk ?? '');
        if (piece === '') continue;
        whole += piece;
        delta(piece);
        if (this.#core.outbox.isFull) await this.#room();
      }
    } finally {
      complete();
    }
    return whole;
  }

  #named(step: string | PlanStep): PlanStep {
    if (typeof step !== 'object') return { id: this.#ids.next('step'), name: label(step, 'step') };
    const id = label(step.id, '') || this.#ids.next('step');
    return { id, name: label(step.name, id) };
  }
}

/** How the end of a scope is told. */
interface Ending {
  readonly done: (result: unknown, durationMs: number) => void;
  readonly failed: (error: ErrorInfo, durationMs: number) => void;
  /** Of an error that brings no code of ours. */
  readonly code: string;
}

/** A result for which the caller may not wait: then its failure does not end the process as an unhandled rejection. */
function unattended<R>(result: Promise<R>): Promise<R> {
  result.catch(() => undefined);
  return result;
}

/** Milliseconds since `began`, to the microsecond. */
export const elapsed = (began: number): number => Math.round((performance.now() - began) * 1000) / 1000;
