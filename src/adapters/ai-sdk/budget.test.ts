import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, type LanguageModel, stepCountIs, streamText, ToolLoopAgent, tool, wrapLanguageModel } from 'ai';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type RunSnapshot, type RunWriter, type Telltale, telltale } from '../../index.ts';
import type { BudgetLimits } from '../../protocol/index.ts';
import { eventsWhen } from '../../runs/watching.fixture.ts';
import { type OpenAiStub, openAiStub } from '../openai-stub.fixture.ts';
import { aiSdk, aiSdkMiddleware } from './index.ts';
import { weather } from './scenario.fixture.ts';

/** Each answer costs 0.50: 100,000 tokens of 5 for a million. Four of them are what a run needs. */
const usage = { prompt_tokens: 100_000, completion_tokens: 0, total_tokens: 100_000 };
const prices = { source: 'list of November', models: { 'model-1': { input: 5, output: 10 } } };
const asks = { tools: [{ name: 'weather', args: { city: 'Rome' } }], usage };
const telemetry = { functionId: 'Triage', integrations: aiSdk() };
const options = { prompt: 'Warm?', tools: { weather }, stopWhen: stepCountIs(9), telemetry };

let stub: OpenAiStub;
let app: Telltale;
let url: string;
/** What the agent does, with a model of the stub. */
let agent: (model: LanguageModel, run: RunWriter) => unknown;

beforeEach(async () => {
  stub = await openAiStub((_request, index) => (index < 3 ? asks : { text: 'It is 20.', usage }));
  const provider = createOpenAICompatible({ name: 'stub', baseURL: stub.url, includeUsage: true });
  agent = (model, run) => generateText({ ...options, model, abortSignal: run.signal }).then(({ text }) => text);
  app = telltale({ store: 'memory:', prices });
  app.agent('triage', (run) => agent(provider('model-1'), run));
  ({ url } = await app.listen(0));
});

afterEach(async () => {
  await app.close();
  await stub.close();
});

async function post(path: string, body: object): Promise<{ runId: string }> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json() as Promise<{ runId: string }>;
}

const start = async (budget: BudgetLimits) => (await post('/v1/runs', { agent: 'triage', budget })).runId;

/** As somebody sees it who opens the page only now. */
async function reloaded(runId: string): Promise<RunSnapshot> {
  return (await fetch(`${url}/v1/runs/${runId}`)).json() as Promise<RunSnapshot>;
}

async function until(runId: string, type: string, count = 1): Promise<RunSnapshot> {
  await eventsWhen(await app.log(), runId, (events) => events.filter((it) => it.type === type).length === count);
  return reloaded(runId);
}

describe('a run that would spend 2.00 with a limit of 1.00', () => {
  test.each<[string, typeof agent]>([
    ['generateText', (model, { signal }) => generateText({ ...options, model, abortSignal: signal })],
    [
      'streamText',
      (model, { signal }) => streamText({ ...options, model, abortSignal: signal, onError: () => {} }).text,
    ],
    [
      'an agent without the run’s signal',
      (model) => new ToolLoopAgent({ ...options, model }).generate({ prompt: 'Warm?' }),
    ],
    [
      'an agent called by a tool of another',
      (model, run) => {
        const ask = tool({
          inputSchema: z.object({ city: z.string() }),
          execute: async () => (await new ToolLoopAgent({ ...options, model }).generate({ prompt: 'Warm?' })).text,
        });
        return generateText({ ...options, model, tools: { weather: ask }, abortSignal: run.signal });
      },
    ],
    [
      'a wrapped model',
      (model, { signal }) =>
        generateText({
          ...{ prompt: 'Warm?', tools: { weather }, stopWhen: stepCountIs(9), abortSignal: signal },
          model: wrapLanguageModel({ model: model as never, middleware: aiSdkMiddleware() }),
        }),
    ],
  ])('stops before its third request: %s', async (_name, does) => {
    agent = does;
    const run = await until(await start({ maxCost: 1 }), 'run.failed');
    expect(stub.requests).toHaveLength(2);
    expect(run).toMatchObject({
      status: 'failed',
      error: { code: 'budget_exceeded' },
      usage: { totalTokens: 200_000 },
      cost: { amount: 1, currency: 'USD', source: 'list of November' },
      budget: { maxCost: 1, warnings: [{ limit: 'cost', used: 1 }], exceeded: { used: 1, max: 1, decision: 'stop' } },
    });
  });

  test('paused, it asks for nothing more until it is resumed, and then has the same amount again', async () => {
    const runId = await start({ maxCost: 1, onExceeded: 'pause' });
    expect(await until(runId, 'run.paused')).toMatchObject({ status: 'paused', budget: { exceeded: { used: 1 } } });
    expect(stub.requests).toHaveLength(2);
    await post(`/v1/runs/${runId}/resume`, { by: 'ann' });
    expect(await until(runId, 'run.completed')).toMatchObject({
      output: 'It is 20.',
      cost: { amount: 2 },
      budget: { maxCost: 2, onExceeded: 'pause' },
      commands: [{ command: 'resume', status: 'applied', by: 'ann' }],
    });
    expect(stub.requests).toHaveLength(4);
  });

  test.each([
    ['approve', 4, { status: 'completed', output: 'It is 20.', budget: { maxCost: 2 } }],
    ['deny', 2, { status: 'failed', error: { code: 'budget_exceeded' } }],
  ])('asks; on %s it has made %i requests at its end', async (decision, requests, outcome) => {
    const runId = await start({ maxCost: 1, onExceeded: 'ask' });
    const { approvals, status } = await until(runId, 'approval.requested');
    expect(approvals).toMatchObject([{ status: 'requested', prompt: expect.stringContaining('1 of 1 USD') }]);
    expect([status, stub.requests.length]).toEqual(['running', 2]);
    await post(`/v1/runs/${runId}/approvals/${approvals[0]!.id}`, { decision, by: 'ann' });
    const run = await until(runId, decision === 'approve' ? 'run.completed' : 'run.failed');
    expect(run).toMatchObject({ ...outcome, approvals: [{ status: 'resolved', decision, by: 'ann' }] });
    expect(stub.requests).toHaveLength(requests);
  });

  test('paused, it is cancelled without another request', async () => {
    const runId = await start({ maxCost: 1, onExceeded: 'pause' });
    await until(runId, 'run.paused');
    await post(`/v1/runs/${runId}/cancel`, {});
    expect(await until(runId, 'run.cancelled')).toMatchObject({ status: 'cancelled' });
    expect(stub.requests).toHaveLength(2);
  });
});

test('of the tools that a model asks for at once, as many run as may', async () => {
  await stub.close();
  const cities = ['Rome', 'Oslo', 'Bern'].map((city) => ({ name: 'weather', args: { city } }));
  stub = await openAiStub(() => ({ tools: cities, usage }));
  const provider = createOpenAICompatible({ name: 'stub', baseURL: stub.url });
  agent = (_model, run) => generateText({ ...options, model: provider('model-1'), abortSignal: run.signal });
  const run = await until(await start({ maxToolCalls: 2 }), 'run.failed');
  expect(run.tools.map(({ args, status }) => [(args as { city: string }).city, status])).toEqual([
    ['Rome', 'completed'],
    ['Oslo', 'completed'],
    ['Bern', 'interrupted'],
  ]);
  expect(stub.requests).toHaveLength(1);
});

test('a run that somebody paused makes no model call until it is resumed', async () => {
  let paused = false;
  const slow = tool({
    inputSchema: z.object({ city: z.string() }),
    execute: async () => {
      if (!paused) await post(`/v1/runs/${runId}/pause`, { by: 'ann' });
      paused = true;
      return 20;
    },
  });
  agent = (model) => generateText({ ...options, tools: { weather: slow }, model }).then(({ text }) => text);
  const runId = await start({});
  expect(await until(runId, 'run.paused')).toMatchObject({ status: 'paused' });
  expect(stub.requests).toHaveLength(1);
  await post(`/v1/runs/${runId}/resume`, {});
  expect(await until(runId, 'run.completed')).toMatchObject({ output: 'It is 20.' });
});

test('a cost that nobody knows is told as unknown, and tokens limit the run all the same', async () => {
  await app.close();
  const provider = createOpenAICompatible({ name: 'stub', baseURL: stub.url });
  app = telltale({ store: 'memory:', budget: { maxTokens: 150_000 } });
  app.agent('triage', () => generateText({ ...options, model: provider('model-1') }));
  ({ url } = await app.listen(0));
  const run = await until(await start({ maxCost: 1, maxTokens: 900_000 }), 'run.failed');
  expect(run.errors.filter((it) => it.code === 'cost_unknown')).toHaveLength(1);
  expect(run).not.toHaveProperty('cost');
  expect(run.budget).toMatchObject({ maxTokens: 150_000, exceeded: { limit: 'tokens', used: 200_000 } });
  expect(stub.requests).toHaveLength(2);
});
