/** Records what AI SDK 7 does: `telltale/ai-sdk`. */
import { currentRun, runAs } from '../current.ts';
import type {
  CallEvent,
  EndEvent,
  ModelCallEndEvent,
  ModelCallEvent,
  ObjectStepEndEvent,
  StartEvent,
  StepEndEvent,
  ToolEndEvent,
  ToolEvent,
} from './events.ts';
import { Invocation } from './invocation.ts';
import { heard } from './middleware.ts';
import { open, opened } from './open-calls.ts';
import { tapped } from './tap.ts';

export { type AiSdkApproval, type AiSdkApprovalOptions, type AiSdkApprovalPolicy, aiSdkApproval } from './approval.ts';
export { type AiSdkMiddleware, aiSdkMiddleware } from './middleware.ts';

/** What `aiSdk` makes: AI SDK's `Telemetry`, as far as it is needed. */
export interface AiSdkTelemetry {
  onStart(event: StartEvent): void;
  onLanguageModelCallEnd(event: ModelCallEndEvent): void;
  onToolExecutionStart(event: ToolEvent): void;
  onToolExecutionEnd(event: ToolEndEvent): void;
  onStepEnd(event: StepEndEvent): void;
  onObjectStepStart(event: ModelCallEvent): Promise<void>;
  onObjectStepEnd(event: ObjectStepEndEvent): void;
  onEnd(event: EndEvent): void;
  onAbort(event: CallEvent & { readonly reason?: unknown }): void;
  onError(event: unknown): void;
  executeLanguageModelCall<T>(options: ModelCallEvent & { readonly execute: () => PromiseLike<T> }): Promise<T>;
  executeTool<T>(
    options: CallEvent & { readonly toolCallId: string; readonly execute: () => PromiseLike<T> },
  ): PromiseLike<T>;
}

/** The operations that are recorded. Embeddings, images, speech are no agents. */
const OPERATIONS = new Set(['ai.generateText', 'ai.streamText', 'ai.generateObject', 'ai.streamObject']);

/**
 * Telemetry for AI SDK 7 that records every call made within a run, in that run: agents (nested as they call each
 * other), model calls with their usage, thinking, answers and tool arguments as they stream, tools and their results.
 * Outside of runs nothing is recorded. Nothing is written that anybody waits for; what waits is a model call or tool call that must
 * not begin: `RunWriter.checkpoint`.
 *
 * @example
 * import { registerTelemetry } from 'ai';
 * registerTelemetry(aiSdk());
 *
 * app.agent('triage', async (run, question) => {
 *   const { text } = await triage.generate({ prompt: question, abortSignal: run.signal });
 *   return text;
 * });
 */
export function aiSdk(): AiSdkTelemetry {
  const telemetry: AiSdkTelemetry = {
    onStart(event) {
      const run = currentRun();
      if (!run) return;
      if (typeof event.callId !== 'string') {
        run.error({ code: 'ai_sdk_version', message: 'telltale/ai-sdk needs AI SDK 7: this call is not recorded.' });
        return;
      }
      if (!OPERATIONS.has(event.operationId ?? '') || open.has(event.callId)) return;
      opened(event.callId, { owner: telemetry, invocation: new Invocation(run, event) });
    },

    onLanguageModelCallEnd: (event) => told(event, (it) => it.callEnded(event)),

    onToolExecutionStart: (event) => told(event, (it) => it.toolStarted(event)),
    onToolExecutionEnd: (event) => told(event, (it) => it.toolEnded(event)),
    onStepEnd: (event) => told(event, (it) => it.stepEnded(event.content)),

    async onObjectStepStart(event) {
      // AI SDK waits for it; what it throws is dropped there, and the call then ends by its signal.
      await of(event)?.reporter.writer.checkpoint();
      told(event, (it) => it.beginCall(event));
    },
    onObjectStepEnd: (event) => told(event, (it) => it.callEnded({ ...event, content: objectContent(event) })),

    onEnd: (event) => told(event, (it) => it.complete(event)),
    onAbort: (event) => told(event, (it) => it.abort(event.reason)),
    onError: (event) => told(event, (it) => it.fail((event as { error?: unknown }).error)),

    async executeLanguageModelCall({ execute, ...event }) {
      const invocation = of(event);
      // A run that is paused, or has used up its budget, asks no model.
      await invocation?.reporter.writer.checkpoint();
      const call = invocation?.reporter.guard(() => invocation.beginCall(event));
      if (!invocation || !call) return execute();
      const { writer } = invocation.reporter;
      heard.add(writer);
      try {
        // The model's own code finds its agent as the current one.
        const result = await runAs(writer, execute);
        return tapped(result, {
          part: (part) => told(event, () => call.part(part)),
          fail: (error) => told(event, () => call.fail(error)),
        });
      } catch (error) {
        told(event, () => call.fail(error));
        throw error;
      } finally {
        heard.delete(writer);
      }
    },

    async executeTool({ execute, toolCallId, ...event }) {
      const invocation = of(event);
      if (!invocation) return execute();
      const { writer } = invocation.reporter;
      await writer.checkpoint({ toolCallId: invocation.tools.idOf(toolCallId) });
      // Agents that the tool calls find their parent, and what it tells itself is told as its agent.
      return runAs(writer, execute);
    },
  };

  const of = (event: unknown): Invocation | undefined => {
    const it = open.get((Object(event) as CallEvent).callId);
    return it?.owner === telemetry ? it.invocation : undefined;
  };
  const told = (event: unknown, tell: (invocation: Invocation) => unknown): void => {
    const invocation = of(event);
    if (!invocation) return;
    invocation.reporter.guard(() => tell(invocation));
    if (invocation.over) open.delete((event as CallEvent).callId);
  };
  return telemetry;
}

function objectContent({ objectText, reasoning }: ObjectStepEndEvent): unknown {
  return [
    { type: 'reasoning', text: reasoning ?? '' },
    { type: 'text', text: objectText ?? '' },
  ];
}
