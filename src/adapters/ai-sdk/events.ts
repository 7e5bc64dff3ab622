/**
 * What is read of AI SDK's objects, and nothing more: the adapter imports nothing of `ai`, so that it fits every version
 * whose objects look like this. Everything is optional but the ids without which an event says nothing.
 */

/** Common to all that AI SDK tells: which call it is about, and what of it may be recorded. */
export interface CallEvent {
  /** Names one `generateText` or `streamText` with all its steps. */
  readonly callId: string;
  readonly functionId?: string | undefined;
  readonly recordInputs?: boolean | undefined;
  readonly recordOutputs?: boolean | undefined;
}

export interface StartEvent extends CallEvent {
  readonly operationId?: string;
  readonly modelId?: string;
  readonly messages?: unknown;
  readonly prompt?: unknown;
  readonly runtimeContext?: unknown;
  /** Set where the answer is to be an object. */
  readonly output?: unknown;
}

export interface ModelCallEvent extends CallEvent {
  readonly provider?: string;
  readonly modelId?: string;
}

export interface ModelCallEndEvent extends ModelCallEvent {
  readonly usage?: unknown;
  readonly finishReason?: unknown;
  readonly content?: unknown;
}

export interface ToolEvent extends CallEvent {
  readonly toolCall: { readonly toolCallId: string; readonly toolName: string; readonly input?: unknown };
}

export interface ToolEndEvent extends ToolEvent {
  readonly toolOutput: { readonly type: string };
  readonly toolExecutionMs?: number;
}

export interface ObjectStepEndEvent extends ModelCallEndEvent {
  readonly objectText?: unknown;
  readonly reasoning?: unknown;
}

export interface StepEndEvent {
  readonly callId?: string;
  readonly content?: unknown;
}

export interface EndEvent extends CallEvent {
  readonly text?: unknown;
  readonly object?: unknown;
  readonly finishReason?: unknown;
}

/** A part of a model's stream (LanguageModelV4StreamPart) or of its whole answer. */
export interface Part {
  readonly type: string;
  readonly id?: string;
  readonly delta?: unknown;
  readonly text?: unknown;
  readonly toolCallId?: string;
  readonly toolName?: string;
  readonly input?: unknown;
  readonly result?: unknown;
  readonly output?: unknown;
  readonly isError?: boolean;
  readonly invalid?: boolean;
  readonly preliminary?: boolean;
  readonly providerExecuted?: boolean;
  readonly error?: unknown;
  readonly approvalId?: string;
  readonly approved?: boolean;
  /** Decided by the program, or by `aiSdkApproval`: nobody is left to ask. */
  readonly isAutomatic?: boolean;
  readonly reason?: unknown;
  readonly toolCall?: { readonly toolCallId: string; readonly toolName: string; readonly input?: unknown };
}

/** The parts of a whole answer; none where there is no list of them. */
export function partsOf(content: unknown): readonly Part[] {
  return Array.isArray(content) ? content.filter((part) => typeof part?.type === 'string') : [];
}
