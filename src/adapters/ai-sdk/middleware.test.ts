import {
  generateText,
  type LanguageModel,
  type LanguageModelMiddleware,
  stepCountIs,
  streamText,
  wrapLanguageModel,
} from 'ai';
import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../openai-stub.fixture.ts';
import { aiSdk, aiSdkMiddleware } from './index.ts';
import { play, weather } from './scenario.fixture.ts';

const middleware: LanguageModelMiddleware = aiSdkMiddleware();
const wrapped = (model: LanguageModel) => wrapLanguageModel({ model: model as never, middleware });
const usage = { prompt_tokens: 10, completion_tokens: 5 };
const script = (_request: ChatRequest, index: number) =>
  index === 0
    ? { text: 'Let me look.', tools: ['Rome', 'Atlantis'].map((city) => ({ name: 'weather', args: { city } })), usage }
    : { reasoning: 'One sank.', text: 'It is 20.', usage };
const options = { prompt: 'Warm?', tools: { weather }, stopWhen: stepCountIs(3) };

describe('a wrapped model, without telemetry', () => {
  test.each(['streamed', 'unstreamed'])('%s: its calls, texts and tools stand under the current agent', async (how) => {
    const { run, left } = await play(script, ({ run, model }) =>
      run.agent('Clerk', async () => {
        const call = { ...options, model: wrapped(model) };
        return how === 'streamed' ? await streamText(call).text : (await generateText(call)).text;
      }),
    );
    expect(left).toEqual([]);
    expect(run).toMatchObject({
      output: 'It is 20.',
      agents: [{ path: 'clerk-1' }],
      messages: [{ text: 'Let me look.', agentId: 'clerk-1' }, { text: 'It is 20.' }],
      reasoning: [{ text: 'One sank.' }],
      tools: [
        { args: { city: 'Rome' }, result: { city: 'Rome', degrees: 20 } },
        { args: { city: 'Atlantis' }, error: { message: expect.stringContaining('It sank.') } },
      ],
      llmCalls: [{ id: 'model-1', model: 'model-1', provider: 'stub.chat' }, { id: 'model-2' }],
      usage: { inputTokens: 20, outputTokens: 10, totalTokens: 30 },
    });
  });

  test('a call that fails', async () => {
    const { run } = await play(
      () => ({ status: 500 }),
      ({ model }) => generateText({ ...options, model: wrapped(model), maxRetries: 0 }),
    );
    expect(run.llmCalls).toMatchObject([{ status: 'failed', error: { status: 500 } }]);
  });
});

test('with telemetry as well, a call is recorded once', async () => {
  const telemetry = { functionId: 'Clerk', integrations: aiSdk() };
  const [once, both] = [
    await play(script, ({ model }) => streamText({ ...options, telemetry, model }).text),
    await play(script, ({ model }) => streamText({ ...options, telemetry, model: wrapped(model) }).text),
  ];
  expect(both.lines).toEqual(once.lines);
});
