import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, registerTelemetry, streamText, type Telemetry } from 'ai';
import { afterEach, expect, test, vi } from 'vitest';
import { openMemory } from '../../log/memory.ts';
import type { RunWriter } from '../../protocol/index.ts';
import { runOnce, told } from '../../runs/watching.fixture.ts';
import { openAiStub } from '../openai-stub.fixture.ts';
import { aiSdk } from './index.ts';
import { play } from './scenario.fixture.ts';

afterEach(() => {
  globalThis.AI_SDK_TELEMETRY_INTEGRATIONS = [];
});

const hello = () => ({ text: 'Hello you.' });

test('registered once, all calls are recorded; registered twice, none of them twice', async () => {
  registerTelemetry(aiSdk());
  const once = await play(hello, ({ model }) => streamText({ model, prompt: 'Hi' }).text);
  expect(once.lines).toHaveLength(7);
  registerTelemetry(aiSdk(), aiSdk());
  expect((await play(hello, ({ model }) => streamText({ model, prompt: 'Hi' }).text)).lines).toEqual(once.lines);
});

test('outside of runs nothing is recorded, and calls are as they were', async () => {
  registerTelemetry(aiSdk());
  const stub = await openAiStub(hello);
  const model = createOpenAICompatible({ name: 'stub', baseURL: stub.url })('m');
  expect((await generateText({ model, prompt: 'Hi' })).text).toBe('Hello you.');
  expect(await streamText({ model, prompt: 'Hi' }).text).toBe('Hello you.');
  await stub.close();
});

test('a model that is called finds the writer of its agent', async () => {
  const within = vi.fn();
  const telemetry = { functionId: 'Clerk', integrations: aiSdk() satisfies Telemetry };
  const { events } = await play(hello, async ({ model, run }) => {
    if (typeof model === 'string' || model.specificationVersion !== 'v4') throw new Error('Not this model.');
    const { doGenerate } = model;
    model.doGenerate = (options) => {
      run.custom('called', options.prompt.length);
      within();
      return doGenerate.call(model, options);
    };
    await generateText({ model, prompt: 'Hi', telemetry });
  });
  expect(within).toHaveBeenCalledOnce();
  expect(events.find((event) => event.type === 'custom')).toMatchObject({ agent: { id: 'clerk-1' } });
});

test('without the wrappers, whole texts and calls are still told from the ends', async () => {
  const { executeLanguageModelCall: _call, executeTool: _tool, ...rest } = aiSdk();
  const { run, left, lines } = await play(
    hello,
    ({ model }) => streamText({ model, prompt: 'Hi', telemetry: { functionId: 'Clerk', integrations: rest } }).text,
  );
  expect(left).toEqual([]);
  expect(lines).toEqual([
    'clerk-1 agent.started',
    'clerk-1 llm.started llm-1',
    'clerk-1 message.started llm-1-message-1',
    'clerk-1 message.completed llm-1-message-1',
    'clerk-1 llm.completed llm-1',
    'clerk-1 agent.completed',
  ]);
  expect(run.messages[0]!.text).toBe('Hello you.');
});

test('what is told of an agent is this agent’s, whichever async context tells it', async () => {
  const telemetry = aiSdk();
  const call = { callId: 'call-outer', operationId: 'ai.streamText', functionId: 'Outer' };
  const { events } = await runOnce(openMemory(), async (run: RunWriter) => {
    telemetry.onStart(call);
    // A stream calls its sources in the context of whoever reads it: here an agent within a tool.
    const readWithin = () => run.agent('Reader', () => telemetry.onLanguageModelCallEnd(call));
    await telemetry.executeTool({ ...call, toolCallId: 't', execute: readWithin });
    telemetry.onEnd(call);
  });
  const agents = events.map(({ type, agent }) => [type, agent?.path]);
  expect(agents).toContainEqual(['agent.started', 'outer-1/reader-1']);
  expect(agents).toContainEqual(['llm.completed', 'outer-1']);
});

test('what it cannot read is told, and is no reason to fail', async () => {
  const spoilt = aiSdk();
  const onEnd = spoilt.onLanguageModelCallEnd;
  spoilt.onLanguageModelCallEnd = (event) =>
    onEnd({
      ...event,
      get usage(): never {
        throw new Error('no usage');
      },
    });
  const { run } = await play(hello, async ({ model }) => {
    return (await generateText({ model, prompt: 'Hi', telemetry: { integrations: spoilt } })).text;
  });
  expect(run).toMatchObject({ status: 'completed', output: 'Hello you.', errors: [{ code: 'adapter_failed' }] });
});

test('of 10,000 calls that are left open the oldest is let go', async () => {
  const telemetry = aiSdk();
  const start = (callId: string) => telemetry.onStart({ callId, operationId: 'ai.streamText' });
  const { events } = await runOnce(openMemory(), () => {
    for (let i = 0; i <= 10_000; i++) start(`call-${i}`);
    telemetry.onEnd({ callId: 'call-0', text: 'first' });
    telemetry.onEnd({ callId: 'call-1', text: 'second' });
    start('call-last');
    telemetry.onEnd({ callId: 'call-2', text: 'third' });
  });
  const ended = events.filter((it) => it.type === 'agent.completed');
  expect(ended.map((it) => it.data.output)).toEqual(['second', 'third']);
});

test('AI SDK 6, which names no call, is told that it is not recorded', async () => {
  const telemetry = aiSdk();
  const { events } = await runOnce(openMemory(), (_run: RunWriter) => {
    telemetry.onStart({ model: {}, functionId: 'Clerk' } as never);
    telemetry.onEnd({ text: 'Hello.' } as never);
  });
  expect(told(events.slice(1, -1))).toEqual([
    ['error.reported', { error: { code: 'ai_sdk_version', message: expect.stringContaining('AI SDK 7') } }],
  ]);
});
