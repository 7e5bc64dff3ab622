import type { LanguageModel } from 'ai';
import { TelltaleError } from '../protocol/index.ts';
import { RULES, rulesModel } from './rules/model.ts';

/** Which model the agents think with. What they read is sent to it, so nobody but the operator chooses. */
export type ModelChoice =
  | { readonly provider: 'rules' }
  | { readonly provider: 'openai'; readonly model: string; readonly apiKey: string }
  | {
      readonly provider: 'anthropic';
      readonly model: string;
      readonly apiKey: string;
      /** Another server that speaks Anthropic's API, up to and with its version. */
      readonly baseURL?: string;
    }
  | {
      readonly provider: 'openai-compatible';
      readonly model: string;
      /** Up to and with its version: `http://127.0.0.1:11434/v1`. */
      readonly baseURL: string;
      readonly apiKey?: string;
    };

/** The AI SDK and a model: what an agent needs to think. */
export interface Mind {
  readonly sdk: typeof import('ai');
  readonly model: LanguageModel;
  /** Stands wherever people are told which model it is. */
  readonly label: string;
}

/**
 * Loads the AI SDK and the provider of the choice, and nothing else: whoever serves agents of their own loads neither.
 *
 * @throws {TelltaleError} `invalid_option` for a package that is not installed, saying how to install it.
 */
export async function openMind(choice: ModelChoice): Promise<Mind> {
  const sdk = await installed('ai', () => import('ai'));
  return { sdk, model: await modelOf(choice), label: labelOf(choice) };
}

/** As people are told: `claude-sonnet-5-5 (anthropic)`, or that there is no model. */
function labelOf(choice: ModelChoice): string {
  return choice.provider === 'rules' ? RULES.modelId : `${choice.model} (${choice.provider})`;
}

/** Always given: left out, the providers take the variables `…_BASE_URL`, and files go where nobody was told of. */
const AT = { anthropic: 'https://api.anthropic.com/v1', openai: 'https://api.openai.com/v1' };

async function modelOf(choice: ModelChoice): Promise<LanguageModel> {
  switch (choice.provider) {
    case 'rules':
      return rulesModel();
    case 'anthropic': {
      const { createAnthropic } = await installed('@ai-sdk/anthropic', () => import('@ai-sdk/anthropic'));
      const { apiKey, baseURL = AT.anthropic } = choice;
      return createAnthropic({ apiKey, baseURL })(choice.model);
    }
    case 'openai': {
      const { createOpenAI } = await installed('@ai-sdk/openai', () => import('@ai-sdk/openai'));
      return createOpenAI({ apiKey: choice.apiKey, baseURL: AT.openai })(choice.model);
    }
    case 'openai-compatible': {
      const { baseURL, apiKey, provider: name } = choice;
      const load = () => import('@ai-sdk/openai-compatible');
      const { createOpenAICompatible } = await installed('@ai-sdk/openai-compatible', load);
      // Without `includeUsage`, streamed answers come without it.
      return createOpenAICompatible({ name, baseURL, includeUsage: true, ...(apiKey !== undefined && { apiKey }) })(
        choice.model,
      );
    }
  }
}

async function installed<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const version = PACKAGES[name];
    throw new TelltaleError('invalid_option', `The package ${name} is not installed: npm install ${name}@${version}`);
  }
}

/** Major versions that this code was run with. */
const PACKAGES: Readonly<Record<string, number>> = {
  ai: 7,
  '@ai-sdk/anthropic': 4,
  '@ai-sdk/openai': 4,
  '@ai-sdk/openai-compatible': 3,
};
