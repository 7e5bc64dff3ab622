/** Tells of an execution as code does that was written for the execution door (docs/doors/execution.md). */
import { currentRun } from '../adapters/index.ts';
import { type RunWriter, randomId, spelledId, TelltaleError } from '../protocol/index.ts';
import type { Runs } from './runs.ts';

/** Where executions go: a Telltale of this process. */
export interface ExecutionHost {
  runs(): Promise<Runs>;
  /** What cannot be written is told here: emitting never throws. */
  readonly onError: (error: unknown, place: { errorId: string; method: string; path: string }) => void;
  /** Those that were begun here and have not ended, by run. */
  readonly live: Map<string, OpenedRun>;
}

/** The Telltales of this process that are not closed. */
export const executionHosts = new Map<object, ExecutionHost>();

/**
 * Tells what an agent does, one method for each of the nine events; none waits, and none throws.
 *
 * - Where the execution is the run in whose function the caller is, it writes into that run, whose beginning and end
 *   are the function's own.
 * - Anywhere else it opens the execution as a run of its own, of the user, with the first thing that is told of it, and
 *   ends it with `executionComplete` or `executionError`. Several emitters of one execution write into the same run.
 *
 * @example
 * const emitter = new AgentSSEEmitter(userId, executionId);
 * emitter.executionStarted({ task: 'Create a landing page' });
 * emitter.thinking({ thought: 'Planning the page structure...' });
 * emitter.executionComplete({ result: { page: 'index.html' } });
 */
export class AgentSSEEmitter {
  readonly #userId: string;
  readonly #runId: string;
  readonly #host: ExecutionHost | undefined;
  #own: OwnRun | undefined;
  #opened: OpenedRun | undefined;

  /**
   * @param executionId 1 to 32 characters of `A-Z a-z 0-9 _ -`, or a UUID.
   * @param telltale which one, where this process has several.
   * @throws {TelltaleError} `invalid_option` where that is not clear, or there is none that is open.
   */
  constructor(userId: string | number, executionId: string | number, telltale?: object) {
    this.#userId = String(userId);
    this.#runId = spelledId(String(executionId));
    this.#host = this.#isOurs() ? undefined : hostOf(telltale);
  }

  /** Aborted when the execution has ended, by a cancel for example: give it to everything that can be stopped. */
  get signal(): AbortSignal {
    return this.#live().signal;
  }

  executionStarted({ task }: { readonly task: string }): void {
    this.#live().begin(task);
  }

  planCreated({ plan }: { readonly plan: { readonly goal: string; readonly phases: readonly Phase[] } }): void {
    const steps = plan.phases.map(({ id, name }) => ({ id: String(id), name }));
    this.#tell((run) => run.emit('plan.created', { goal: plan.goal, steps }));
  }

  phaseStart({ phaseId, phaseName, phaseIndex: index }: PhaseRef & { readonly phaseIndex?: number }): void {
    const data = { stepId: String(phaseId), name: phaseName, ...(index !== undefined && { index }) };
    this.#tell((run) => run.emit('step.started', data));
  }

  /** `iteration` is counted by the log. */
  thinking({ thought }: { readonly thought: string; readonly iteration?: number }): void {
    this.#tell((run) => run.emit('reasoning.completed', { reasoningId: newId(), text: thought }));
  }

  /** `toolCallId` tells calls of one tool apart that overlap; without it, the one that began first ends first. */
  toolStart({ toolName, params, toolCallId }: ToolRef & { readonly params?: unknown }): void {
    this.#tell((run, { calls }) => {
      const id = toolCallId ?? newId();
      calls.push({ id, toolName });
      run.emit('tool.called', { toolCallId: id, name: toolName, args: params ?? {} });
    });
  }

  toolComplete({ toolName, result, duration, toolCallId }: ToolRef & Ended): void {
    this.#tell((run, { calls }) => {
      const at = calls.findIndex((it) => (toolCallId === undefined ? it.toolName === toolName : it.id === toolCallId));
      const id = toolCallId ?? calls[at]?.id ?? newId();
      if (at >= 0) calls.splice(at, 1);
      const ended = {
        ...(result !== undefined && { result }),
        ...(duration !== undefined && { durationMs: duration }),
      };
      run.emit('tool.completed', { toolCallId: id, name: toolName, ...ended });
    });
  }

  phaseComplete({ phaseId }: PhaseRef): void {
    this.#tell((run) => run.emit('step.completed', { stepId: String(phaseId) }));
  }

  executionComplete({ result, tokensUsed }: Ended & { readonly tokensUsed?: number } = {}): void {
    this.#tell((run, live) => {
      if (tokensUsed !== undefined) run.emit('usage.updated', { usage: { totalTokens: tokensUsed } });
      live.complete(run, result);
    });
  }

  /** In a run's own function, throw as well: its end is the function's. */
  executionError({ error, stack }: { readonly error: string | Error; readonly stack?: string }): void {
    const thrown = error instanceof Error ? error : Object.assign(new Error(error), stack !== undefined && { stack });
    this.#tell((run, live) => live.fail(run, thrown));
  }

  #tell(tell: Tell): void {
    const live = this.#live();
    live.begin('');
    live.tell(tell);
  }

  #isOurs(): boolean {
    return currentRun()?.runId === this.#runId;
  }

  #live(): Live {
    const run = this.#isOurs() ? currentRun() : undefined;
    if (run || !this.#host) {
      this.#own ??= new OwnRun();
      if (run) this.#own.run = run;
      return this.#own;
    }
    this.#opened ??= this.#host.live.get(this.#runId) ?? new OpenedRun(this.#host, this.#runId, this.#userId);
    return this.#opened;
  }
}

interface Phase {
  readonly id: string | number;
  readonly name: string;
}

interface PhaseRef {
  readonly phaseId: string | number;
  readonly phaseName: string;
}

interface ToolRef {
  readonly toolName: string;
  readonly toolCallId?: string;
}

interface Ended {
  readonly result?: unknown;
  /** Milliseconds. */
  readonly duration?: number;
}

type Tell = (run: RunWriter, live: Live) => void;

/** The run that emitters of one execution write into. */
export abstract class Live {
  /** Calls that have begun, in this order. */
  readonly calls: { readonly id: string; readonly toolName: string }[] = [];

  abstract readonly signal: AbortSignal;
  /** Once, whoever does it first. */
  abstract begin(task: string): void;
  abstract tell(tell: Tell): void;
  abstract complete(run: RunWriter, result: unknown): void;
  abstract fail(run: RunWriter, error: Error): void;
}

/** The run of the function in which the emitter is used. */
class OwnRun extends Live {
  /** Of the scope that the caller is in. Its emitter was made in the run, so there has been one. */
  run: RunWriter = currentRun() as RunWriter;

  get signal(): AbortSignal {
    return this.run.signal;
  }

  begin(): void {}

  tell(tell: Tell): void {
    tell(this.run, this);
  }

  complete(run: RunWriter, result: unknown): void {
    run.custom('execution:complete', result);
  }

  fail(run: RunWriter, error: Error): void {
    run.error(error);
  }
}

/** A run that is open from the first thing that is told of it to the end that is told of it, or to its cancel. */
class OpenedRun extends Live {
  readonly #host: ExecutionHost;
  readonly #runId: string;
  readonly #owner: string;
  readonly #aborting = new AbortController();
  readonly #end = Promise.withResolvers<unknown>();
  /** What was told before the run had begun. */
  #waiting: Tell[] | undefined = [];
  #run: RunWriter | undefined;
  #hasBegun = false;
  #hasEnded = false;

  constructor(host: ExecutionHost, runId: string, owner: string) {
    super();
    this.#host = host;
    this.#runId = runId;
    this.#owner = owner;
    host.live.set(runId, this);
    const forget = (): void => void host.live.delete(runId);
    this.#end.promise.then(forget, forget);
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  begin(task: string): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const request = { agent: 'execution', runId: this.#runId, input: task, owner: this.#owner };
    this.#host
      .runs()
      .then(async (runs) => {
        const { ended } = await runs.startWith((run) => this.#execute(run), request);
        // It may have been cancelled while it waited for its turn: then nobody executed it.
        await ended;
        this.#aborting.abort();
        this.#letGo();
      })
      .catch((error) => {
        this.#letGo();
        this.#host.onError(error, { errorId: randomId(12), method: 'POST', path: '/api/agent/execute' });
      });
  }

  tell(tell: Tell): void {
    if (this.#waiting) this.#waiting.push(tell);
    else if (this.#run && !this.#hasEnded) tell(this.#run, this);
  }

  complete(_run: RunWriter, result: unknown): void {
    this.#hasEnded = true;
    this.#end.resolve(result);
  }

  fail(_run: RunWriter, error: Error): void {
    this.#hasEnded = true;
    this.#end.reject(error);
  }

  #letGo(): void {
    this.#waiting = undefined;
    this.#end.resolve(undefined);
  }

  /** The function of the run. */
  #execute(run: RunWriter): Promise<unknown> {
    const abort = (): void => {
      this.#aborting.abort(run.signal.reason);
      this.#end.reject(run.signal.reason);
    };
    if (run.signal.aborted) abort();
    run.signal.addEventListener('abort', abort);
    this.#run = run;
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const tell of waiting) this.tell(tell);
    return this.#end.promise;
  }
}

/** Of its own in a run that several emitters write into. */
const newId = (): string => `emitted-${randomId(8)}`;

function hostOf(telltale: object | undefined): ExecutionHost {
  const [only, ...more] = executionHosts.values();
  const host = telltale ? executionHosts.get(telltale) : more.length === 0 ? only : undefined;
  if (host) return host;
  const detail =
    more.length > 0 && !telltale
      ? 'AgentSSEEmitter: this process has several telltale(). Say which: new AgentSSEEmitter(userId, executionId, app).'
      : 'AgentSSEEmitter: there is no telltale() in this process that is open. Make one first.';
  throw new TelltaleError('invalid_option', detail);
}
