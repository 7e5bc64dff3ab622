import type { RunWriter } from '../../protocol/index.ts';
import {
  type EndEvent,
  type ModelCallEndEvent,
  type ModelCallEvent,
  type Part,
  partsOf,
  type StartEvent,
  type ToolEndEvent,
  type ToolEvent,
} from './events.ts';
import { failure } from './failure.ts';
import { ModelCall } from './model-call.ts';
import { elapsed, Reporter } from './reporter.ts';
import { ToolCalls } from './tool-calls.ts';

/** One `generateText`, `streamText` or object generation with all its steps: an invocation of an agent. */
export class Invocation {
  /** Where it was called. */
  readonly parent: RunWriter;
  readonly reporter: Reporter;
  readonly tools: ToolCalls;
  readonly #began = performance.now();
  /** The answer is an object. */
  readonly #structured: boolean;
  #calls = 0;
  #call: ModelCall | undefined;
  #running = 0;
  #ended = false;

  constructor(parent: RunWriter, event: StartEvent) {
    this.parent = parent;
    const { modelId, recordInputs, recordOutputs, output } = event;
    const recorded = { inputs: recordInputs !== false, outputs: recordOutputs !== false };
    const input = recorded.inputs ? inputOf(event) : undefined;
    const writer = parent.openAgent(nameOf(event), {
      ...(input !== undefined && { input }),
      ...(modelId && { model: modelId }),
    });
    this.reporter = new Reporter(writer, recorded);
    this.tools = new ToolCalls(this.reporter);
    this.#structured = output !== undefined && (Object(output) as { name?: unknown }).name !== 'text';
  }

  /** Nothing more is to come. */
  get over(): boolean {
    return this.#ended && this.#running === 0;
  }

  beginCall(event: ModelCallEvent): ModelCall {
    this.#call = new ModelCall(this.reporter, this.tools, `llm-${++this.#calls}`, event);
    return this.#call;
  }

  callEnded(event: ModelCallEndEvent): void {
    // Without a beginning, where nothing wrapped the call: then it is told late, but told.
    const call = this.#call && !this.#call.answered ? this.#call : this.beginCall(event);
    call.complete(event);
  }

  toolStarted({ toolCall: { toolCallId, toolName, input } }: ToolEvent): void {
    this.#running++;
    this.tools.called(toolCallId, toolName, input);
  }

  toolEnded({ toolCall: { toolCallId, toolName }, toolOutput, toolExecutionMs }: ToolEndEvent): void {
    this.#running--;
    const { type, error, output } = toolOutput as Part;
    const durationMs = toolExecutionMs === undefined ? undefined : Math.round(toolExecutionMs * 1000) / 1000;
    if (type === 'tool-error') this.tools.failed(toolCallId, toolName, error, durationMs);
    else this.tools.completed(toolCallId, toolName, output, durationMs);
  }

  /** What became of a step's tool calls that need leave: a question that the call ends with, or a no. */
  stepEnded(content: unknown): void {
    for (const { type, approvalId, toolCall, approved, reason, isAutomatic } of partsOf(content)) {
      if (!toolCall || approvalId === undefined) continue;
      const { toolCallId, toolName } = toolCall;
      if (type === 'tool-approval-request' && !isAutomatic) {
        const prompt = `May ${toolName} be called?`;
        this.reporter.emit('approval.requested', { approvalId, prompt, toolCallId: this.tools.idOf(toolCallId) });
      } else if (type === 'tool-approval-response' && !approved) this.tools.denied(toolCallId, toolName, reason);
    }
  }

  complete({ text, object, finishReason }: EndEvent): void {
    // AI SDK ends a stream that broke as if all were well.
    if (this.#call?.error !== undefined && finishReason === 'error') this.fail(this.#call.error);
    if (!this.#end()) return;
    const output = this.reporter.recorded.outputs ? (object ?? this.#outputOf(text)) : undefined;
    this.reporter.emit('agent.completed', { output, durationMs: elapsed(this.#began) });
  }

  abort(reason: unknown): void {
    this.#fail(reason ?? 'The call was aborted.', 'cancelled', 'cancelled');
  }

  fail(thrown: unknown): void {
    this.#fail(thrown, 'agent_failed', 'llm_failed');
  }

  /** What a cancelled run takes with it is left to the run's end, which closes it as interrupted, not as failed. */
  #fail(thrown: unknown, code: string, callCode: string): void {
    this.#call?.fail(thrown, callCode);
    if (!this.#end() || this.reporter.writer.signal.aborted) return;
    const { inputs, outputs } = this.reporter.recorded;
    const error = failure(thrown, code, inputs && outputs);
    this.reporter.emit('agent.failed', { error, durationMs: elapsed(this.#began) });
  }

  #outputOf(text: unknown): unknown {
    // A call that ends with a question to a person, or a tool for the client, has said nothing.
    if (text === '') return undefined;
    if (!this.#structured || typeof text !== 'string') return text;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  #end(): boolean {
    const first = !this.#ended;
    this.#ended = true;
    return first;
  }
}

function nameOf({ functionId, runtimeContext, operationId }: StartEvent): string {
  const { agent } = Object(runtimeContext) as { agent?: unknown };
  return functionId || (typeof agent === 'string' && agent) || operationId?.replace(/^ai\./, '') || 'agent';
}

/** What was asked for: the last message. The history before it stands in the log already, or is not this run's. */
function inputOf({ prompt, messages }: StartEvent): unknown {
  if (typeof prompt === 'string') return prompt;
  const content = (Array.isArray(messages) ? messages : Array.isArray(prompt) ? prompt : []).at(-1)?.content;
  const [first, ...rest] = Array.isArray(content) ? content : [];
  return rest.length === 0 && first?.type === 'text' ? first.text : content;
}
