import { failure } from './failure.ts';
import type { Reporter } from './reporter.ts';

interface ToolCall {
  /** In the log. */
  readonly id: string;
  readonly name: string;
  called: boolean;
  ended: boolean;
}

/** The tool calls of one agent invocation. Whatever of a call is told first begins it; what comes twice counts once. */
export class ToolCalls {
  readonly #reporter: Reporter;
  /** By the model's id; the latest call of that id. */
  readonly #calls = new Map<string, ToolCall>();
  #repeated = 1;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  isOpen(modelId: string): boolean {
    return this.#calls.get(modelId)?.ended === false;
  }

  started(modelId: string, name: string): ToolCall {
    const known = this.#calls.get(modelId);
    if (known && !known.ended) return known;
    // Local models count anew with every answer: the log would take the second call_0 for the first.
    const call = { id: known ? `${modelId}.${++this.#repeated}` : modelId, name, called: false, ended: false };
    this.#calls.set(modelId, call);
    this.#reporter.emit('tool.started', { toolCallId: call.id, name });
    return call;
  }

  argsDelta(modelId: string, delta: string): void {
    const call = this.#calls.get(modelId);
    if (!call || delta === '' || !this.#showsArgs) return;
    this.#reporter.emit('tool.args.delta', { toolCallId: call.id, delta });
  }

  /** @param args As the model wrote them, or parsed. */
  called(modelId: string, name: string, args: unknown): void {
    const call = this.started(modelId, name);
    if (call.called || !this.#showsArgs) return;
    call.called = true;
    this.#reporter.emit('tool.called', { toolCallId: call.id, name, args: parsed(args) ?? {} });
  }

  completed(modelId: string, name: string, result: unknown, durationMs?: number): void {
    const call = this.#end(modelId, name);
    if (!call) return;
    const shown = this.#reporter.recorded.outputs ? result : undefined;
    this.#reporter.emit('tool.completed', { toolCallId: call.id, name, result: shown, durationMs });
  }

  failed(modelId: string, name: string, thrown: unknown, durationMs?: number, code = 'tool_failed'): void {
    const call = this.#end(modelId, name);
    if (!call) return;
    // A run that was cancelled takes its tools with it: its end closes them, as interrupted and not as failed.
    if (this.#reporter.writer.signal.aborted) return;
    const error = failure(thrown, code, this.#showsArgs);
    this.#reporter.emit('tool.failed', { toolCallId: call.id, name, error, durationMs });
  }

  denied(modelId: string, name: string, reason: unknown): void {
    const call = this.#end(modelId, name);
    if (!call) return;
    this.#reporter.emit('tool.denied', {
      toolCallId: call.id,
      name,
      reason: typeof reason === 'string' ? reason : undefined,
    });
  }

  /** The log's id of a call. */
  idOf(modelId: string): string {
    return this.#calls.get(modelId)?.id ?? modelId;
  }

  #end(modelId: string, name: string): ToolCall | undefined {
    const known = this.#calls.get(modelId);
    if (known?.ended) return undefined;
    const call = this.started(modelId, name);
    call.ended = true;
    return call;
  }

  /** Arguments are what the model said and what the tool was given. */
  get #showsArgs(): boolean {
    return this.#reporter.recorded.inputs && this.#reporter.recorded.outputs;
  }
}

function parsed(args: unknown): unknown {
  if (typeof args !== 'string') return args;
  try {
    return JSON.parse(args);
  } catch {
    return args;
  }
}
