import type { ModelChoice } from '../agents/index.ts';
import { usageError } from './command.ts';

/** Names that the installed providers know; ANTHROPIC_MODEL and OPENAI_MODEL take any other. */
const DEFAULTS = { anthropic: 'claude-sonnet-5-5', openai: 'gpt-5.6' } as const;

/**
 * The model that the environment names, in this order: ANTHROPIC_API_KEY, OPENAI_BASE_URL, OPENAI_API_KEY; else the
 * rules. A base URL goes before the key that may stand beside it: that key is for this server and for no other.
 * ANTHROPIC_BASE_URL is where ANTHROPIC_API_KEY is for.
 *
 * @throws {TelltaleError} `invalid_option` where the model's name is missing, or the URL is none.
 */
export function modelOf(env: NodeJS.ProcessEnv): ModelChoice {
  // An empty variable counts as none: that is how shells and compose files switch one off.
  const value = (name: string): string | undefined => env[name]?.trim() || undefined;
  const [anthropic, openai] = ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY'].map(value);
  if (anthropic) {
    const model = value('ANTHROPIC_MODEL') ?? DEFAULTS.anthropic;
    const at = address('ANTHROPIC_BASE_URL', value('ANTHROPIC_BASE_URL'));
    return { provider: 'anthropic', model, apiKey: anthropic, ...(at && { baseURL: at }) };
  }
  const baseURL = address('OPENAI_BASE_URL', value('OPENAI_BASE_URL'));
  const model = value('OPENAI_MODEL');
  if (baseURL) {
    if (!model)
      throw usageError('OPENAI_BASE_URL is set: say which model of that server in OPENAI_MODEL, or take --rules.');
    return { provider: 'openai-compatible', model, baseURL, ...(openai && { apiKey: openai }) };
  }
  return openai ? { provider: 'openai', model: model ?? DEFAULTS.openai, apiKey: openai } : { provider: 'rules' };
}

function address(name: string, value: string | undefined): string | undefined {
  if (value === undefined || /^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw usageError(`${name} ${value} is not a URL, such as http://127.0.0.1:11434/v1.`);
}

/** Where what the agents read is sent; nowhere with the rules. */
export function receiver(choice: ModelChoice): string | undefined {
  if (choice.provider === 'rules') return undefined;
  return 'baseURL' in choice && choice.baseURL ? new URL(choice.baseURL).host : choice.provider;
}
