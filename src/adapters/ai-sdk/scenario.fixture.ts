import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { type LanguageModel, tool } from 'ai';
import { z } from 'zod';
import { openMemory } from '../../log/memory.ts';
import {
  emptySnapshot,
  isTerminal,
  type RunSnapshot,
  type RunWriter,
  reduce,
  type TelltaleEvent,
} from '../../protocol/index.ts';
import { Runs } from '../../runs/index.ts';
import { eventsAtEnd } from '../../runs/watching.fixture.ts';
import { type Answer, type ChatRequest, type OpenAiStub, openAiStub } from '../openai-stub.fixture.ts';

export interface Scene {
  readonly run: RunWriter;
  readonly model: LanguageModel;
  readonly stub: OpenAiStub;
  /** Asks for the run's cancel, as a person would. */
  cancel(): Promise<unknown>;
}

export interface Played {
  readonly events: readonly TelltaleEvent[];
  /** What was told, one line per event: see `line`. Deltas that follow each other are one line. */
  readonly lines: readonly string[];
  readonly run: RunSnapshot;
  /** What had not ended when the run did. */
  readonly left: readonly string[];
}

/** Plays one agent against a model that answers by `script`, from the run's start to its end. */
export async function play(
  script: (request: ChatRequest, index: number) => Answer,
  agent: (scene: Scene) => unknown,
): Promise<Played> {
  const stub = await openAiStub(script);
  const provider = createOpenAICompatible({
    name: 'stub',
    baseURL: stub.url,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const log = openMemory();
  const runs = new Runs(log);
  runs.register('agent', (run: RunWriter) =>
    agent({ run, model: provider('model-1'), stub, cancel: () => runs.commands.ask(run.runId, { command: 'cancel' }) }),
  );
  try {
    const { runId } = await runs.start({ agent: 'agent' });
    const events = await eventsAtEnd(log, runId);
    if (events.filter((it) => isTerminal(it.type)).length !== 1) throw new Error('Not exactly one terminal event.');
    const fold = (some: readonly TelltaleEvent[]) => some.reduce(reduce, emptySnapshot(runId));
    const lines = events.slice(1, -1).map(line);
    return {
      events,
      lines: lines.filter((it, i) => !(it.includes('.delta') && it === lines[i - 1])),
      run: fold(events),
      left: running(fold(events.slice(0, -1))),
    };
  } finally {
    await runs.close();
    await stub.close();
  }
}

/** `<path of the agent> <type> <id>`, and what a failure is called. */
function line({ type, agent, data }: TelltaleEvent): string {
  const { toolCallId, messageId, reasoningId, callId, error } = data as Record<string, unknown>;
  const id = toolCallId ?? messageId ?? reasoningId ?? callId;
  const words = [agent?.path, type, id, (error as { code?: string } | undefined)?.code];
  return words.filter((it) => it !== undefined).join(' ');
}

function running({ agents, tools, llmCalls, messages, reasoning }: RunSnapshot): string[] {
  const spans = [...agents, ...tools, ...llmCalls, ...messages, ...reasoning];
  return spans.filter((it) => it.status === 'running').map((it) => it.id);
}

/** Fails for the city of Atlantis. */
export const weather = tool({
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    if (city === 'Atlantis') throw new Error('It sank.');
    return { city, degrees: 20 };
  },
});
