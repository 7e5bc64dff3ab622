/** The model that the environment names, as `npm start` reads it. Where it names none, the examples work by rules. */
import type { LanguageModel } from 'ai';

export interface Model {
  readonly model: LanguageModel;
  /** What people are told: who answers them, and where what is read goes. */
  readonly label: string;
}

export const RULES = 'rules, no LLM';

/** @throws where a server is named and its model is not. */
export async function modelOf(env: NodeJS.ProcessEnv): Promise<Model | undefined> {
  if (env.ANTHROPIC_API_KEY) {
    const { createAnthropic } = await import('@ai-sdk/anthropic');
    const baseURL = env.ANTHROPIC_BASE_URL || 'https://api.anthropic.com/v1';
    const name = env.ANTHROPIC_MODEL || 'claude-sonnet-5-5';
    const model = createAnthropic({ apiKey: env.ANTHROPIC_API_KEY, baseURL })(name);
    return { model, label: `${name} (${new URL(baseURL).host})` };
  }
  if (env.OPENAI_BASE_URL) {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
    const { OPENAI_BASE_URL: baseURL, OPENAI_MODEL: name, OPENAI_API_KEY: apiKey } = env;
    if (!name) throw new Error('OPENAI_BASE_URL is set: say which model of that server in OPENAI_MODEL.');
    const about = { name: 'openai-compatible', baseURL, includeUsage: true, ...(apiKey && { apiKey }) };
    return { model: createOpenAICompatible(about)(name), label: `${name} (${new URL(baseURL).host})` };
  }
  if (env.OPENAI_API_KEY) {
    const { createOpenAI } = await import('@ai-sdk/openai');
    const name = env.OPENAI_MODEL || 'gpt-5.6';
    const model = createOpenAI({ apiKey: env.OPENAI_API_KEY, baseURL: 'https://api.openai.com/v1' })(name);
    return { model, label: `${name} (api.openai.com)` };
  }
  return undefined;
}
