import { generateText, Output, stepCountIs, streamText, type Telemetry, type ToolSet } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { TelltaleError } from '../../protocol/index.ts';
import type { Answer, ChatRequest } from '../openai-stub.fixture.ts';
import { aiSdk } from './index.ts';
import { type Played, play, type Scene, weather } from './scenario.fixture.ts';

const telemetry: { functionId: string; integrations: Telemetry } = { functionId: 'Triage', integrations: aiSdk() };
const usage = {
  prompt_tokens: 10,
  completion_tokens: 5,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

type Options = Partial<Parameters<typeof generateText>[0]> & { tools?: ToolSet };

const options = ({ model, run }: Scene, more: Options = {}) =>
  ({
    model,
    prompt: 'How warm is it?',
    tools: { weather },
    stopWhen: stepCountIs(5),
    abortSignal: run.signal,
    telemetry,
    ...more,
  }) as Parameters<typeof generateText>[0];

type Script = (request: ChatRequest, index: number) => Answer;
const ways = {
  generate: (script: Script, more?: Options) =>
    play(script, async (scene) => (await generateText(options(scene, more))).text),
  stream: (script: Script, more?: Options) =>
    play(script, (scene) => streamText({ ...options(scene, more), onError: () => {} } as never).text),
};
/** Runs a scenario unstreamed and streamed: the same is told, but for the deltas. */
async function bothWays(script: Script, more?: Options): Promise<{ generate: Played; stream: Played }> {
  const [generate, stream] = [await ways.generate(script, more), await ways.stream(script, more)];
  const rename = (lines: readonly string[]) => lines.filter((it) => !it.includes('.delta'));
  expect(rename(stream.lines)).toEqual(rename(generate.lines));
  return { generate, stream };
}

const looksItUp: Script = (_request, index) =>
  index === 0
    ? {
        reasoning: 'Rome, I think.',
        text: 'I look it up.',
        tools: [{ id: 'call_a', name: 'weather', args: { city: 'Rome' } }],
        usage,
      }
    : { text: 'It is 20 degrees.', usage };

describe('one agent', () => {
  test('thinks, speaks, calls a tool and answers: streamed with deltas, else whole', async () => {
    const { generate, stream } = await bothWays(looksItUp);
    expect(stream.lines).toEqual([
      'triage-1 agent.started',
      'triage-1 llm.started llm-1',
      'triage-1 reasoning.started llm-1-reasoning-1',
      'triage-1 reasoning.delta llm-1-reasoning-1',
      'triage-1 reasoning.completed llm-1-reasoning-1',
      'triage-1 message.started llm-1-message-1',
      'triage-1 message.delta llm-1-message-1',
      'triage-1 message.completed llm-1-message-1',
      'triage-1 tool.started call_a',
      'triage-1 tool.args.delta call_a',
      'triage-1 tool.called call_a',
      'triage-1 llm.completed llm-1',
      'triage-1 tool.completed call_a',
      'triage-1 llm.started llm-2',
      'triage-1 message.started llm-2-message-1',
      'triage-1 message.delta llm-2-message-1',
      'triage-1 message.completed llm-2-message-1',
      'triage-1 llm.completed llm-2',
      'triage-1 agent.completed',
    ]);
    for (const { run, left } of [generate, stream]) {
      expect(left).toEqual([]);
      expect(run).toMatchObject({
        status: 'completed',
        agents: [{ name: 'Triage', model: 'model-1', input: 'How warm is it?', output: 'It is 20 degrees.' }],
        reasoning: [{ text: 'Rome, I think.' }],
        messages: [{ text: 'I look it up.' }, { text: 'It is 20 degrees.' }],
        tools: [{ name: 'weather', args: { city: 'Rome' }, result: { city: 'Rome', degrees: 20 } }],
        llmCalls: [{ model: 'model-1', provider: 'stub.chat' }, { model: 'model-1' }],
        errors: [],
      });
      expect(run.tools[0]!.durationMs).toBeGreaterThanOrEqual(0);
    }
  });

  test('usage is what the provider reported, cached and reasoning tokens within the totals; no cost is made up', async () => {
    for (const { run } of Object.values(await bothWays(looksItUp))) {
      const one = { inputTokens: 10, outputTokens: 5, totalTokens: 15, cachedInputTokens: 4, reasoningTokens: 2 };
      expect(run.llmCalls[0]!.usage).toEqual(one);
      expect(run.usage).toMatchObject({ inputTokens: 20, outputTokens: 10, reasoningTokens: 4 });
      expect(run.cost).toBeUndefined();
    }
  });

  test('usage that was not reported is absent, not zero', async () => {
    for (const { run, events } of Object.values(await bothWays(() => ({ text: 'Hello.' })))) {
      expect(run.usage).toBeUndefined();
      expect(events.find((it) => it.type === 'llm.completed')!.data).not.toHaveProperty('usage');
    }
  });

  test('an answer that is to be an object is recorded as one, a text as it is', async () => {
    const output = Output.object({ schema: z.object({ degrees: z.number() }) });
    for (const { run } of Object.values(await bothWays(() => ({ text: '{"degrees": 20}' }), { output } as never))) {
      expect(run.agents[0]!.output).toEqual({ degrees: 20 });
    }
    const text = await ways.generate(() => ({ text: '20' }), { output: Output.text() } as never);
    expect(text.run.agents[0]!.output).toBe('20');
  });

  test('a whole text too large for one event arrives whole', async () => {
    const text = 'looking '.repeat(60_000);
    const { run } = await ways.generate(() => ({ text }));
    expect(run.messages[0]!.text === text).toBe(true);
  });

  test('without a functionId it is named by runtimeContext.agent, else by the operation', async () => {
    const named = { runtimeContext: { agent: 'Clerk' }, telemetry: { ...telemetry, functionId: undefined } };
    const shown = { ...named.telemetry, includeRuntimeContext: { agent: true } };
    const script = () => ({ text: 'Yes.' });
    expect((await ways.generate(script, { ...named, telemetry: shown } as never)).run.agents[0]!.name).toBe('Clerk');
    expect((await ways.generate(script, named as never)).run.agents[0]!.name).toBe('generateText');
  });
});

describe('tools', () => {
  test('in parallel; one that throws fails alone, and the agent goes on', async () => {
    const tools = ['Rome', 'Atlantis', 'Oslo'].map((city) => ({ name: 'weather', args: { city } }));
    const script: Script = (_request, index) => (index === 0 ? { tools } : { text: 'Two of three.' });
    for (const { run, left, lines } of [await ways.generate(script), await ways.stream(script)]) {
      expect(left).toEqual([]);
      expect(lines).toContain('triage-1 tool.failed call_1 tool_failed');
      expect(run.tools).toMatchObject([
        { id: 'call_0', status: 'completed', args: { city: 'Rome' } },
        { id: 'call_1', status: 'failed', error: { message: 'It sank.' } },
        { id: 'call_2', status: 'completed', args: { city: 'Oslo' } },
      ]);
      expect(run).toMatchObject({ status: 'completed', output: 'Two of three.' });
    }
  });

  test('one that says no with a TelltaleError fails with its code', async () => {
    const refuses = () => {
      throw new TelltaleError('path_refused', 'Not there.');
    };
    const tools = { weather: { ...weather, execute: refuses } } as ToolSet;
    const script: Script = (_request, index) =>
      index === 0 ? { tools: [{ name: 'weather', args: { city: 'Rome' } }] } : { text: 'No.' };
    const { stream } = await bothWays(script, { tools });
    expect(stream.run.tools).toMatchObject([{ error: { code: 'path_refused', message: 'Not there.' } }]);
  });

  test.each([
    ['of another shape', { name: 'weather', args: { town: 1 } }, { town: 1 }],
    ['that are no JSON', { name: 'weather', args: '{"city' }, '{"city'],
    ['for a tool that is not there', { name: 'nothing', args: {} }, {}],
  ])('arguments %s are recorded, and refused as invalid_tool_call', async (_name, call, args) => {
    const both = await bothWays((_request, index) => (index === 0 ? { tools: [call] } : { text: 'Sorry.' }));
    for (const { run, left } of Object.values(both)) {
      expect(left).toEqual([]);
      expect(run.tools).toMatchObject([
        { name: call.name, status: 'failed', args, error: { code: 'invalid_tool_call' } },
      ]);
      expect(run.status).toBe('completed');
    }
  });

  test('a model that repeats an id in its next answer means another call', async () => {
    const again = { tools: [{ id: 'call_0', name: 'weather', args: { city: 'Rome' } }] };
    const { run } = await ways.stream((_request, index) => (index < 3 ? again : { text: 'Still 20.' }));
    expect(run.tools.map(({ id, status }) => [id, status])).toEqual([
      ['call_0', 'completed'],
      ['call_0.2', 'completed'],
      ['call_0.3', 'completed'],
    ]);
  });

  test('one that needs approval is told as a question, and the call ends there', async () => {
    const tools = { weather: { ...weather, needsApproval: true } };
    const { generate } = await bothWays(() => ({ tools: [{ name: 'weather', args: { city: 'Rome' } }] }), { tools });
    expect(generate.lines.slice(-2)).toEqual(['triage-1 approval.requested call_0', 'triage-1 agent.completed']);
    expect(generate.run.approvals).toMatchObject([{ toolCallId: 'call_0', prompt: 'May weather be called?' }]);
  });
});

test('a tool that the program denies is denied, nobody was asked, and the agent goes on', async () => {
  const script: Script = (_request, index) =>
    index === 0 ? { tools: [{ name: 'weather', args: { city: 'Rome' } }] } : { text: 'No.' };
  const { generate } = await bothWays(script, { toolApproval: { weather: 'denied' } } as never);
  expect(generate.run).toMatchObject({
    output: 'No.',
    tools: [{ id: 'call_0', status: 'denied' }],
    approvals: [],
  });
});

describe('providers that fail', () => {
  const once =
    (answer: Answer): Script =>
    (_request, index) =>
      index === 0 ? answer : { text: 'There.' };

  test('500: the call and the agent fail with its status', async () => {
    for (const { run, left, lines } of Object.values(await bothWays(() => ({ status: 500 }), { maxRetries: 0 }))) {
      expect(left).toEqual([]);
      expect(lines.slice(-2)).toEqual(['triage-1 llm.failed llm-1 llm_failed', 'triage-1 agent.failed agent_failed']);
      expect(run.agents[0]!.error).toMatchObject({ message: 'The stub says 500.', status: 500, retryable: true });
      expect(run.status).toBe('failed');
    }
  });

  test('429, then well: each attempt is a call of its own', async () => {
    const both = await bothWays(once({ status: 429, headers: { 'retry-after-ms': '1' } }));
    for (const { run, left } of Object.values(both)) {
      expect(left).toEqual([]);
      expect(run.llmCalls).toMatchObject([
        { id: 'llm-1', status: 'failed', error: { status: 429, retryable: true } },
        { id: 'llm-2', status: 'completed' },
      ]);
      expect(run).toMatchObject({ status: 'completed', output: 'There.' });
    }
  });

  test('a stream that breaks: what came is kept, and agent and call have failed', async () => {
    const raw = 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\ndata: {oops\n\n';
    const { run, left } = await ways.stream(() => ({ raw }));
    expect(left).toEqual([]);
    expect(run).toMatchObject({
      messages: [{ text: 'Hel', status: 'completed' }],
      llmCalls: [{ status: 'failed' }],
      agents: [{ status: 'failed', error: { message: expect.stringContaining('oops') } }],
    });
  });

  test('an answer that is no JSON', async () => {
    const { run, left } = await ways.generate(() => ({ raw: 'oops' }), { maxRetries: 0 });
    expect(left).toEqual([]);
    expect(run.llmCalls).toMatchObject([{ status: 'failed', error: { message: 'Invalid JSON response' } }]);
  });
});

test('recordInputs and recordOutputs: what is not to be recorded is not', async () => {
  const secret: Script = (_request, index) =>
    index === 0
      ? { reasoning: 'SECRET', text: 'SECRET', tools: [{ name: 'weather', args: { city: 'Atlantis', why: 'SECRET' } }] }
      : { text: 'SECRET' };
  const more = { prompt: 'SECRET', telemetry: { ...telemetry, recordInputs: false, recordOutputs: false } };
  for (const { events, left } of [await ways.generate(secret, more), await ways.stream(secret, more)]) {
    // The run's own input and output are the agent's who was asked for them.
    const told = JSON.stringify(events.slice(1, -1));
    expect(told).not.toMatch(/SECRET|It sank/);
    expect(told).toContain('tool.failed');
    expect(left).toEqual([]);
  }
});
