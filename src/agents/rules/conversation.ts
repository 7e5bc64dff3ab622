import type { LanguageModel } from 'ai';

/** The AI SDK's own words, without its run-time parts. */
export type Model = Extract<LanguageModel, { specificationVersion: 'v4' }>;
export type CallOptions = Parameters<Model['doStream']>[0];
export type StreamPart =
  Awaited<ReturnType<Model['doStream']>>['stream'] extends ReadableStream<infer Part> ? Part : never;

/** A call of a tool and what came of it. The SDK has checked the arguments against the tool's schema. */
export interface Seen {
  readonly tool: string;
  readonly args: unknown;
  readonly result?: unknown;
  readonly error?: string;
}

/** What a conversation has come to. */
export interface Conversation {
  /** What it began with. */
  readonly asked: unknown;
  /** In the order in which the calls were made. */
  readonly seen: readonly Seen[];
}

/** Reads a prompt as the SDK hands it to any model. Calls that brought nothing yet are left out. */
export function read(prompt: CallOptions['prompt']): Conversation {
  let asked: unknown;
  const calls = new Map<string, { tool: string; args: unknown; result?: unknown; error?: string }>();
  for (const { role, content } of prompt) {
    if (role === 'user') asked = JSON.parse(content.map((it) => (it.type === 'text' ? it.text : '')).join(''));
    if (role !== 'assistant' && role !== 'tool') continue;
    for (const part of content) {
      if (part.type === 'tool-call') calls.set(part.toolCallId, { tool: part.toolName, args: part.input });
      if (part.type !== 'tool-result') continue;
      const call = calls.get(part.toolCallId);
      if (call) Object.assign(call, outcomeOf(part.output));
    }
  }
  return { asked, seen: [...calls.values()].filter((it) => 'result' in it || 'error' in it) };
}

type Output = Extract<
  Extract<CallOptions['prompt'][number], { role: 'tool' }>['content'][number],
  { type: 'tool-result' }
>['output'];

function outcomeOf(output: Output): Pick<Seen, 'result' | 'error'> {
  switch (output.type) {
    case 'json':
    case 'text':
      return { result: output.value };
    case 'error-text':
      // The SDK writes errors as `Error.prototype.toString` does.
      return { error: output.value.replace(/^\w*Error: /, '') };
    default:
      return { error: JSON.stringify(output) };
  }
}
