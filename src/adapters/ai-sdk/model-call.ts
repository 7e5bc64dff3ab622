import { type ModelCallEndEvent, type ModelCallEvent, type Part, partsOf } from './events.ts';
import { failure } from './failure.ts';
import { elapsed, type Reporter } from './reporter.ts';
import type { ToolCalls } from './tool-calls.ts';
import { usageOf } from './usage.ts';

/** A whole text of more characters goes as a delta, which the writer splits where one event cannot hold it. */
const WHOLE = 32 * 1024;

type Kind = 'message' | 'reasoning';

interface OpenText {
  readonly kind: Kind;
  readonly id: string;
  readonly began: number;
}

/**
 * One attempt to call a language model: `llm.started`, the texts and tool calls of the answer as they come, and
 * `llm.completed` or `llm.failed`.
 */
export class ModelCall {
  readonly reporter: Reporter;
  readonly #tools: ToolCalls;
  readonly #id: string;
  readonly #began = performance.now();
  /** By the provider's id, which repeats in every answer. */
  readonly #texts = new Map<string, OpenText>();
  readonly #counts = { message: 0, reasoning: 0 };
  #streamed = false;
  #ended = false;
  /** AI SDK has told its end, after a failure too. */
  answered = false;
  /** What the stream said went wrong. */
  error: unknown;

  constructor(reporter: Reporter, tools: ToolCalls, id: string, { modelId, provider }: Omit<ModelCallEvent, 'callId'>) {
    this.reporter = reporter;
    this.#tools = tools;
    this.#id = id;
    reporter.emit('llm.started', { callId: id, model: modelId || 'unknown', provider: provider || undefined });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** A part of the model's stream. */
  part(part: Part): void {
    this.#streamed = true;
    const { type, id = '' } = part;
    switch (type) {
      case 'text-start':
      case 'reasoning-start':
        this.#open(type === 'text-start' ? 'message' : 'reasoning', id);
        break;
      case 'text-delta':
      case 'reasoning-delta':
        this.#delta(type === 'text-delta' ? 'message' : 'reasoning', id, String(part.delta ?? ''));
        break;
      case 'text-end':
      case 'reasoning-end':
        this.#close(keyOf(type === 'text-end' ? 'message' : 'reasoning', id));
        break;
      case 'tool-input-start':
        this.#closeAll();
        this.#tools.started(id, part.toolName ?? 'tool');
        break;
      case 'tool-input-delta':
        this.#tools.argsDelta(id, String(part.delta ?? ''));
        break;
      case 'tool-call':
      case 'tool-result':
        this.#tool(part);
        break;
      case 'error':
        // Not yet the end: AI SDK reads on, and what the answer cost comes last.
        this.error = part.error ?? 'The stream holds an error.';
        break;
    }
  }

  /** The end of an answer. What was not seen in a stream is told from its whole content. */
  complete({ content, usage, finishReason, modelId, provider }: Omit<ModelCallEndEvent, 'callId'>): void {
    this.answered = true;
    for (const part of partsOf(content)) {
      if (!this.#streamed) this.#whole(part);
      // AI SDK finds out when it reads the arguments, behind the stream.
      if (part.type === 'tool-call' && part.invalid) this.#refused(part);
    }
    if (this.error !== undefined) this.fail(this.error);
    if (!this.#end()) return;
    this.reporter.emit('llm.completed', {
      callId: this.#id,
      model: modelId || undefined,
      provider: provider || undefined,
      usage: usageOf(usage),
      durationMs: elapsed(this.#began),
      ...(typeof finishReason === 'string' && { finishReason }),
    });
  }

  /** The first failure counts. A call that its cancelled run took with it is left to the run's end. */
  fail(thrown: unknown, code = 'llm_failed'): void {
    if (!this.#end() || this.reporter.writer.signal.aborted) return;
    const { inputs, outputs } = this.reporter.recorded;
    const error = failure(thrown, code, inputs && outputs);
    this.reporter.emit('llm.failed', { callId: this.#id, error, durationMs: elapsed(this.#began) });
  }

  #whole(part: Part): void {
    if (part.type === 'text' || part.type === 'reasoning') {
      const text = String(part.text ?? '');
      if (text === '' || !this.reporter.recorded.outputs) return;
      const kind = part.type === 'text' ? 'message' : 'reasoning';
      this.#open(kind, '');
      if (text.length > WHOLE) this.#delta(kind, '', text);
      this.#close(keyOf(kind, ''), text.length > WHOLE ? undefined : text);
    } else if (['tool-call', 'tool-result', 'tool-error'].includes(part.type)) this.#tool(part);
  }

  #tool({ type, toolCallId, toolName = 'tool', input, result, output, isError, preliminary, error }: Part): void {
    this.#closeAll();
    if (toolCallId === undefined || preliminary) return;
    if (type === 'tool-call') this.#tools.called(toolCallId, toolName, input);
    // Results within an answer are those of tools that the provider runs itself.
    else if (type === 'tool-error' || isError) this.#tools.failed(toolCallId, toolName, error ?? result);
    else this.#tools.completed(toolCallId, toolName, result ?? output);
  }

  #refused({ toolCallId, toolName = 'tool', error, providerExecuted }: Part): void {
    if (toolCallId === undefined || providerExecuted) return;
    this.#tools.failed(toolCallId, toolName, error, undefined, 'invalid_tool_call');
  }

  #open(kind: Kind, key: string): OpenText | undefined {
    if (!this.reporter.recorded.outputs) return undefined;
    const id = `${this.#id}-${kind}-${++this.#counts[kind]}`;
    const text = { kind, id, began: performance.now() };
    this.#close(keyOf(kind, key));
    this.#texts.set(keyOf(kind, key), text);
    if (kind === 'message') this.reporter.emit('message.started', { messageId: id, role: 'assistant' });
    else this.reporter.emit('reasoning.started', { reasoningId: id });
    return text;
  }

  #delta(kind: Kind, key: string, delta: string): void {
    if (delta === '') return;
    const text = this.#texts.get(keyOf(kind, key)) ?? this.#open(kind, key);
    if (!text) return;
    if (kind === 'message') this.reporter.emit('message.delta', { messageId: text.id, delta });
    else this.reporter.emit('reasoning.delta', { reasoningId: text.id, delta });
  }

  #close(key: string, whole?: string): void {
    const text = this.#texts.get(key);
    if (!text) return;
    this.#texts.delete(key);
    const { kind, id, began } = text;
    if (kind === 'message') this.reporter.emit('message.completed', { messageId: id, text: whole });
    else this.reporter.emit('reasoning.completed', { reasoningId: id, text: whole, durationMs: elapsed(began) });
  }

  /** A message is a stretch of text that nothing else interrupts: some providers end theirs only with the answer. */
  #closeAll(): void {
    for (const key of this.#texts.keys()) this.#close(key);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#closeAll();
    return true;
  }
}

const keyOf = (kind: Kind, id: string): string => `${kind} ${id}`;
