import { describe, expect, test } from 'vitest';
import { modelOf, receiver } from './model.ts';

const [ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENAI_BASE_URL] = ['key-a', 'key-o', 'http://127.0.0.1:11434/v1'];
const anthropic = { provider: 'anthropic', model: expect.stringMatching(/^claude-/), apiKey: 'key-a' };
const openai = { provider: 'openai', model: expect.stringMatching(/^gpt-/), apiKey: 'key-o' };
const local = { provider: 'openai-compatible', model: 'llama', baseURL: OPENAI_BASE_URL };

describe('the model that the environment chooses', () => {
  test.each([
    ['nothing', {}, { provider: 'rules' }],
    ['an Anthropic key', { ANTHROPIC_API_KEY }, anthropic],
    ['an Anthropic key and a model', { ANTHROPIC_API_KEY, ANTHROPIC_MODEL: 'm' }, { ...anthropic, model: 'm' }],
    [
      'an Anthropic key and where it is for',
      { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: 'http://gateway.test/v1' },
      { ...anthropic, baseURL: 'http://gateway.test/v1' },
    ],
    ['an OpenAI key', { OPENAI_API_KEY }, openai],
    ['an OpenAI key and a model', { OPENAI_API_KEY, OPENAI_MODEL: 'm' }, { ...openai, model: 'm' }],
    ['both keys', { ANTHROPIC_API_KEY, OPENAI_API_KEY }, anthropic],
    ['a server', { OPENAI_BASE_URL, OPENAI_MODEL: 'llama' }, local],
    [
      'a server with its key',
      { OPENAI_BASE_URL, OPENAI_API_KEY, OPENAI_MODEL: 'llama' },
      { ...local, apiKey: 'key-o' },
    ],
    ['an Anthropic key and a server', { ANTHROPIC_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL: 'llama' }, anthropic],
    ['empty variables', { ANTHROPIC_API_KEY: '', OPENAI_API_KEY: ' ', OPENAI_BASE_URL: '' }, { provider: 'rules' }],
    ['a model without a key', { OPENAI_MODEL: 'm' }, { provider: 'rules' }],
  ])('%s', (_name, env, choice) => expect(modelOf(env)).toEqual(choice));

  test.each([
    ['a server without a model', { OPENAI_BASE_URL, OPENAI_API_KEY }, 'OPENAI_MODEL'],
    ['an address of Anthropic that is no URL', { ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: 'x' }, 'ANTHROPIC_BASE_URL'],
    ['an address that is no URL', { OPENAI_BASE_URL: 'localhost:1234', OPENAI_MODEL: 'm' }, 'OPENAI_BASE_URL'],
  ])('refuses %s, naming the variable', (_name, env, variable) => {
    expect(() => modelOf(env)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(variable) }),
    );
  });
});

test('who receives what is read is told by the address, where there is one', () => {
  expect(receiver(modelOf({ ANTHROPIC_API_KEY }))).toBe('anthropic');
  expect(receiver(modelOf({ ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: 'http://gateway.test/v1' }))).toBe('gateway.test');
  expect(receiver(modelOf({}))).toBeUndefined();
});
