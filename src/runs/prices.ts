import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Cost, TelltaleError, type Usage } from '../protocol/index.ts';

/** A model call whose cost nobody has told. */
export interface PricedCall {
  readonly model: string;
  readonly provider?: string;
  /** Totals include cached and reasoning tokens, whatever the provider's own figures mean. */
  readonly usage: Usage;
}

/** What a call costs; nothing where that is not known. `source` of the cost says where the figure comes from. */
export type PriceFunction = (call: PricedCall) => Cost | undefined;

/** Prices of your own. */
export interface PriceTable {
  /** Where they are from, and as of when: it stands in every cost. */
  readonly source: string;
  /** ISO 4217; `USD` by default. */
  readonly currency?: string;
  /** By the model's name, for 1,000,000 tokens each. Cached input costs what input does where nothing else is said. */
  readonly models: Readonly<
    Record<string, { readonly input: number; readonly output: number; readonly cachedInput?: number }>
  >;
}

/** Where prices come from: the package `@pydantic/genai-prices`, a table, or a function of your own. */
export type Prices = 'genai-prices' | PriceTable | PriceFunction;

/** @throws {TelltaleError} `invalid_option` where the price package is not installed: what to install. */
export async function loadPrices(prices: Prices): Promise<PriceFunction> {
  if (typeof prices === 'function') return prices;
  return prices === 'genai-prices' ? loadPackage() : fromTable(prices);
}

function fromTable({ source, currency = 'USD', models }: PriceTable): PriceFunction {
  return ({ model, usage: { inputTokens, outputTokens, cachedInputTokens = 0 } }) => {
    const price = Object.hasOwn(models, model) ? models[model] : undefined;
    if (!price || inputTokens === undefined || outputTokens === undefined) return undefined;
    const { input, output, cachedInput = input } = price;
    const cached = Math.min(cachedInputTokens, inputTokens);
    const amount = ((inputTokens - cached) * input + cached * cachedInput + outputTokens * output) / 1e6;
    return { amount, currency, source };
  };
}

/** Its prices are those of its version: it asks nobody on the network. */
async function loadPackage(): Promise<PriceFunction> {
  const { calcPrice } = await import('@pydantic/genai-prices').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const detail = 'prices: "genai-prices" needs a package that is not installed: npm install @pydantic/genai-prices';
    throw new TelltaleError('invalid_option', detail, {}, { cause: error });
  });
  const source = `genai-prices ${await versionOf('@pydantic/genai-prices')}`;
  return ({ model, provider, usage: { inputTokens, outputTokens, cachedInputTokens } }) => {
    if (inputTokens === undefined || outputTokens === undefined) return undefined;
    const tokens = { input_tokens: inputTokens, output_tokens: outputTokens, cache_read_tokens: cachedInputTokens };
    // AI SDK's providers are called `openai.chat`. A provider that it does not know has prices of its own: none is made up.
    const providerId = provider?.split('.')[0];
    const found = calcPrice(tokens, model, providerId === undefined ? {} : { providerId });
    return found ? { amount: found.total_price, currency: 'USD', source } : undefined;
  };
}

async function versionOf(name: string): Promise<string> {
  const main = createRequire(import.meta.url).resolve(name);
  const { version } = JSON.parse(await readFile(join(main, '../../package.json'), 'utf8'));
  return version;
}
