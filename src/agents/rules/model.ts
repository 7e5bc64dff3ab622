import { ReadableStream } from 'node:stream/web';
import type { SpecialistName } from '../specialists.ts';
import { consulting } from './consulting.ts';
import { type CallOptions, type Model, read, type StreamPart } from './conversation.ts';
import { triage } from './triage.ts';

/** Who answers in place of a model: said in `llm.started`, and wherever a model is named. */
export const RULES = { provider: 'telltale.rules', modelId: 'rules-1 (no LLM)' } as const;

/** What the rules answer to a prompt: a planner's note, then calls of tools or the answer. */
export interface Reply {
  readonly note?: string;
  readonly calls?: readonly { readonly tool: string; readonly args: unknown }[];
  /** In the pieces in which it is said. */
  readonly text?: readonly string[];
}

/**
 * Rules behind the AI SDK's model interface: the next move is computed from the prompt and the tool results in it, as a
 * model's would be, and from nothing else. Everything around it is the same code as with a model. Nothing is counted in
 * tokens, so usage is undefined.
 */
export function rulesModel(): Model {
  return {
    specificationVersion: 'v4',
    ...RULES,
    supportedUrls: {},

    async doStream(options) {
      const parts = partsOf(reply(options), options);
      return { stream: ReadableStream.from(parts) as globalThis.ReadableStream<StreamPart> };
    },

    async doGenerate(options) {
      const { note, calls = [], text = [] } = reply(options);
      const said = text.join('');
      return {
        content: [
          ...(note === undefined ? [] : [{ type: 'reasoning', text: note } as const]),
          ...(said === '' ? [] : [{ type: 'text', text: said } as const]),
          ...calls.map((it, i) => ({ type: 'tool-call', ...toolCall(it, i, options) }) as const),
        ],
        finishReason: finishReason(calls),
        usage: UNKNOWN,
        warnings: [],
      };
    },
  };
}

const UNKNOWN = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

function reply({ prompt, abortSignal, providerOptions }: CallOptions): Reply {
  abortSignal?.throwIfAborted();
  const agent = providerOptions?.telltale?.agent as 'Triage' | SpecialistName;
  const conversation = read(prompt);
  return agent === 'Triage' ? triage(conversation) : consulting(agent, conversation);
}

function* partsOf({ note, calls = [], text = [] }: Reply, options: CallOptions): Generator<StreamPart> {
  yield { type: 'stream-start', warnings: [] };
  if (note !== undefined) {
    yield { type: 'reasoning-start', id: 'note' };
    yield { type: 'reasoning-delta', id: 'note', delta: note };
    yield { type: 'reasoning-end', id: 'note' };
  }
  if (text.length > 0) {
    yield { type: 'text-start', id: 'answer' };
    for (const delta of text) yield { type: 'text-delta', id: 'answer', delta };
    yield { type: 'text-end', id: 'answer' };
  }
  const toolCalls = calls.map((it, i) => toolCall(it, i, options));
  for (const { toolCallId: id, toolName, input } of toolCalls) {
    yield { type: 'tool-input-start', id, toolName };
    yield { type: 'tool-input-delta', id, delta: input };
    yield { type: 'tool-input-end', id };
  }
  for (const call of toolCalls) yield { type: 'tool-call', ...call };
  yield { type: 'finish', usage: UNKNOWN, finishReason: finishReason(calls) };
}

/** Ids are counted within a conversation: the same prompt gets the same reply, letter by letter. */
function toolCall({ tool, args }: { tool: string; args: unknown }, index: number, { prompt }: CallOptions) {
  return { toolCallId: `call-${prompt.length}-${index + 1}`, toolName: tool, input: JSON.stringify(args) };
}

const finishReason = (calls: readonly unknown[]) =>
  ({ unified: calls.length > 0 ? 'tool-calls' : 'stop', raw: undefined }) as const;
