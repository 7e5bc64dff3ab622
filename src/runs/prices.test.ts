import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import type { RunWriter } from '../protocol/index.ts';
import { loadPrices, type PriceFunction, type Prices } from './prices.ts';
import { runOnce } from './watching.fixture.ts';

const usage = { inputTokens: 1_000_000, outputTokens: 100_000, totalTokens: 1_100_000, cachedInputTokens: 600_000 };
const models = { 'model-1': { input: 2, output: 10, cachedInput: 0.5 }, 'model-2': { input: 2, output: 10 } };
const table = { source: 'contract of May', currency: 'EUR', models };

describe('a table', () => {
  test.each<[string, object, number | undefined]>([
    ['prices cached input by itself', { model: 'model-1', usage }, 0.4 * 2 + 0.6 * 0.5 + 1],
    ['or as input, where it says nothing else', { model: 'model-2', usage }, 3],
    ['knows nothing of other models', { model: 'model-3', usage }, undefined],
    ['nor of those that objects bring along', { model: 'constructor', usage }, undefined],
    ['makes up nothing for usage that is not known', { model: 'model-1', usage: { inputTokens: 5 } }, undefined],
  ])('%s', async (_name, call, amount) => {
    const price = await loadPrices(table);
    const cost = price(call as Parameters<PriceFunction>[0]);
    expect(cost?.amount).toEqual(amount === undefined ? undefined : expect.closeTo(amount, 9));
    if (cost) expect(cost).toMatchObject({ currency: 'EUR', source: 'contract of May' });
  });
});

describe('the price package', () => {
  test('prices what it knows, as of its version; totals include what was cached', async () => {
    const price = await loadPrices('genai-prices');
    const call = (provider: string | undefined, model: string) =>
      price({
        model,
        usage: { ...usage, inputTokens: 1000, outputTokens: 500, cachedInputTokens: 800 },
        ...(provider && { provider }),
      });
    const cost = { amount: expect.closeTo(0.00535, 9), currency: 'USD', source: 'genai-prices 0.1.8' };
    expect(call(undefined, 'gpt-5')).toEqual(cost);
    expect(call('openai.chat', 'gpt-5')).toEqual(cost);
    // A local server that calls its model so has other prices.
    expect(call('stub.chat', 'gpt-5')).toBeUndefined();
    expect(call(undefined, 'model-1')).toBeUndefined();
    expect(price({ model: 'gpt-5', usage: { outputTokens: 5 } })).toBeUndefined();
  });

  test('where it is not installed, the error says what to install', async () => {
    const without = `import { registerHooks } from 'node:module'; registerHooks({ resolve(name, context, next) {
      if (name.startsWith('@pydantic/')) throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context); } });
      const { telltale } = await import('${new URL('../index.ts', import.meta.url)}');
      await telltale({ store: 'memory:', prices: 'genai-prices' }).log().catch((it) => console.log(it.code, it.message));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', without]);
    expect(stdout).toMatch(/^invalid_option .*npm install @pydantic\/genai-prices\n$/);
  });
});

describe('a run’s model calls', () => {
  const told = { amount: 7, currency: 'USD', source: 'provider' };
  const play = async (prices: Prices, agent: (run: RunWriter) => void) =>
    (await runOnce(openMemory(), agent, { price: await loadPrices(prices) })).run;

  test('get the cost that nobody has told, by the model that their start named', async () => {
    const run = await play(table, (run) => {
      run.emit('llm.started', { callId: '1', model: 'model-2' });
      run.emit('llm.completed', { callId: '1', usage });
      run.emit('llm.completed', { callId: '2', model: 'model-2', usage, cost: told });
      run.emit('llm.completed', { callId: '3', model: 'model-3', usage });
      run.emit('llm.completed', { callId: '4', model: 'model-2' });
    });
    expect(run.llmCalls.map((it) => it.cost)).toEqual([
      { amount: 3, currency: 'EUR', source: 'contract of May' },
      told,
      undefined,
      undefined,
    ]);
  });

  test.each<[string, PriceFunction]>([
    [
      'throws',
      () => {
        throw new Error('No price list.');
      },
    ],
    ['answers with what is no cost', () => ({ amount: -1, currency: 'USD', source: 's' })],
  ])('are recorded without a cost where the price function %s, and that is told once', async (_name, prices) => {
    const run = await play(prices, (run) => {
      for (const callId of ['1', '2']) run.emit('llm.completed', { callId, model: 'm', usage });
    });
    expect(run.llmCalls).toHaveLength(2);
    expect(run).not.toHaveProperty('cost');
    expect(run.errors).toMatchObject([{ code: 'price_failed' }]);
  });
});
