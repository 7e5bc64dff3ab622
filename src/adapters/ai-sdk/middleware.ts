import type { RunWriter } from '../../protocol/index.ts';
import { currentRun } from '../current.ts';
import { type Part, partsOf } from './events.ts';
import { ModelCall } from './model-call.ts';
import { Reporter } from './reporter.ts';
import { tapped } from './tap.ts';
import { ToolCalls } from './tool-calls.ts';

/** What `aiSdkMiddleware` makes: AI SDK's `LanguageModelMiddleware`. */
export interface AiSdkMiddleware {
  readonly specificationVersion: 'v4';
  wrapGenerate<R>(call: Wrapped & { readonly doGenerate: () => PromiseLike<R> }): Promise<R>;
  wrapStream<R>(call: Wrapped & { readonly doStream: () => PromiseLike<R> }): Promise<R>;
}

interface Wrapped {
  readonly model: { readonly modelId: string; readonly provider: string };
  readonly params: { readonly prompt: unknown };
}

/** The end of an answer, as models tell it. */
interface Finish {
  readonly usage?: unknown;
  readonly finishReason?: { readonly unified?: unknown };
  readonly content?: unknown;
}

/** Agents of whom `aiSdk` hears the model call that is just being made. */
export const heard = new WeakSet<RunWriter>();

/**
 * Records the calls of one model, where telemetry cannot be used: in the agent in whose scope they are made, with texts,
 * thinking and tool arguments as they stream. Of tools it sees what the model asks for, and the results when the model
 * is told them; of agents nothing: use `run.agent()`. A call that `aiSdk` records as well is recorded once.
 *
 * @example
 * const model = wrapLanguageModel({ model: openai('gpt-5'), middleware: aiSdkMiddleware() });
 */
export function aiSdkMiddleware(): AiSdkMiddleware {
  return {
    specificationVersion: 'v4',

    async wrapGenerate({ doGenerate, ...about }) {
      const call = await begin(about);
      if (!call) return doGenerate();
      const result = await orFail(call, doGenerate);
      call.reporter.guard(() => finish(call, Object(result)));
      return result;
    },

    async wrapStream({ doStream, ...about }) {
      const call = await begin(about);
      if (!call) return doStream();
      return tapped(await orFail(call, doStream), {
        part: (part) => call.reporter.guard(() => (part.type === 'finish' ? finish(call, part) : call.part(part))),
        fail: (error) => call.reporter.guard(() => call.fail(error)),
      });
    },
  };
}

/** What one agent did with wrapped models so far. */
interface Calls {
  readonly reporter: Reporter;
  readonly tools: ToolCalls;
  count: number;
}

const agents = new WeakMap<RunWriter, Calls>();

/** @throws the run's abort reason, where it has been stopped: then the model is not called. */
async function begin({ model, params }: Wrapped): Promise<ModelCall | undefined> {
  const run = currentRun();
  if (!run || heard.has(run)) return undefined;
  await run.checkpoint();
  const calls = agents.get(run) ?? callsOf(run);
  return calls.reporter.guard(() => {
    for (const part of resultsIn(params.prompt)) tellResult(calls.tools, part);
    return new ModelCall(calls.reporter, calls.tools, `model-${++calls.count}`, model);
  });
}

function callsOf(run: RunWriter): Calls {
  const reporter = new Reporter(run);
  const calls = { reporter, tools: new ToolCalls(reporter), count: 0 };
  agents.set(run, calls);
  return calls;
}

function finish(call: ModelCall, answer: object): void {
  const { content, usage, finishReason } = answer as Finish;
  call.complete({ content, usage, finishReason: finishReason?.unified });
}

async function orFail<R>(call: ModelCall, make: () => PromiseLike<R>): Promise<R> {
  try {
    return await make();
  } catch (error) {
    call.reporter.guard(() => call.fail(error));
    throw error;
  }
}

function resultsIn(prompt: unknown): readonly Part[] {
  const messages = Array.isArray(prompt) ? prompt : [];
  return messages.flatMap((message) => (message.role === 'tool' ? partsOf(message.content) : []));
}

/** A prompt repeats the whole conversation: only calls that were seen, and have not ended, count. */
function tellResult(tools: ToolCalls, { toolCallId, toolName = 'tool', output }: Part): void {
  if (toolCallId === undefined || !tools.isOpen(toolCallId)) return;
  const { type, value, reason } = Object(output) as { type?: string; value?: unknown; reason?: unknown };
  if (type === 'execution-denied') tools.denied(toolCallId, toolName, reason);
  else if (type?.startsWith('error')) tools.failed(toolCallId, toolName, value);
  else tools.completed(toolCallId, toolName, value);
}
