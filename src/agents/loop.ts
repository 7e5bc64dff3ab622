import type { PrepareStepFunction, ToolSet } from 'ai';
import { aiSdk } from '../adapters/ai-sdk/index.ts';
import { type RunWriter, TelltaleError } from '../protocol/index.ts';
import type { Mind } from './mind.ts';

/** One agent's work: who it is, what it is told, what it can do. */
export interface Task {
  readonly run: RunWriter;
  /** The run's, or that of the tool by which it was asked: whoever waits no longer stops it. */
  readonly signal: AbortSignal;
  readonly name: string;
  readonly instructions: string;
  readonly prompt: string;
  readonly tools: ToolSet;
  /** Whether the last step was the last one, asked after each. An answer without tool calls always is. */
  readonly isDone?: () => boolean;
  readonly prepareStep?: PrepareStepFunction<ToolSet>;
}

/** What a task may take, since a model can call tools for ever, or fall silent. */
const MOST = {
  /** Questions to the model. */
  steps: 12,
  /** A local model may have to be loaded before its first word. */
  timeout: { totalMs: 15 * 60_000, firstChunkMs: 3 * 60_000, chunkMs: 60_000 },
};

/**
 * Runs an agent until it is done, and resolves with its last text. What it says and does is told by the adapter.
 *
 * @throws {TelltaleError} `agent_failed` with a sentence about the model; the signal's reason when it was aborted.
 */
export async function runLoop({ sdk, model, label }: Mind, task: Task, { steps, timeout } = MOST): Promise<string> {
  const { run, signal, name, instructions, prompt, tools, isDone, prepareStep } = task;
  let failure: unknown;
  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const agent = new sdk.ToolLoopAgent({
    id: name,
    model,
    instructions,
    tools,
    stopWhen: [sdk.isStepCount(steps), () => isDone?.() ?? false],
    timeout,
    // Who asks, for the rules; other providers read only what bears their own name.
    providerOptions: { telltale: { agent: name } },
    telemetry: { functionId: name, integrations: aiSdk() },
    onError: ({ error }) => fail(error),
    prepareStep: async (options) => {
      await run.checkpoint();
      return prepareStep?.(options);
    },
  });
  const result = await agent.stream({ prompt, abortSignal: signal });
  await result.consumeStream({ onError: fail });
  const ended = await Promise.all([result.text, result.steps, result.finishReason]).catch(fail);
  signal.throwIfAborted();
  if (!ended || failure !== undefined) throw failed(`${label} ${sentence(sdk, failure)}`, failure);
  const [text, taken, finishReason] = ended;
  if (isDone?.() || (text.trim() !== '' && finishReason !== 'tool-calls')) return text;
  const why = taken.length < steps ? `without an answer (${finishReason})` : `at its limit of ${steps} steps`;
  throw failed(`${label} ended ${why}.`);
}

const failed = (message: string, cause?: unknown): TelltaleError =>
  new TelltaleError('agent_failed', message, {}, { cause });

/** What went wrong between us and the model, in plain words. */
function sentence(sdk: Mind['sdk'], failure: unknown): string {
  const error = sdk.RetryError.isInstance(failure) ? failure.lastError : failure;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === 'TimeoutError') return `took too long: ${message}`;
  if (!sdk.APICallError.isInstance(error)) return `did not answer as a model does: ${message}`;
  const { statusCode, url } = error;
  const { origin } = new URL(url);
  if (statusCode === undefined) return `cannot be reached at ${origin}: ${message}`;
  return statusCode < 400
    ? `answered what cannot be read: ${message}`
    : `refused to answer (HTTP ${statusCode} of ${origin}): ${message}`;
}
