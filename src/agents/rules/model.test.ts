import { type Tool, ToolLoopAgent } from 'ai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { rulesModel } from './model.ts';

const tool = (execute: () => unknown): Tool<object, unknown> => ({ inputSchema: z.looseObject({}), execute });

const tools = {
  list: tool(() => ({ folder: '.', files: 1, bytes: 9, entries: [{ path: 'a.md', bytes: 9 }], leftOut: [] })),
  askRisks: tool(() => ({ notes: ['None.'], findings: [] })),
  askDocuments: tool(() => {
    throw new TypeError('out to lunch');
  }),
};
const triage = new ToolLoopAgent({ model: rulesModel(), tools, providerOptions: { telltale: { agent: 'Triage' } } });
const prompt = JSON.stringify({ question: 'What are the risks?', places: ['.'] });

describe('rules behind the model interface of the AI SDK', () => {
  test('answer the same whole as streamed, and every time', async () => {
    const whole = await triage.generate({ prompt });
    const streamed = await triage.stream({ prompt });
    const calls = (steps: typeof whole.steps) =>
      steps.map((it) => it.toolCalls.map(({ toolCallId, toolName, input }) => ({ toolCallId, toolName, input })));
    expect(calls(await streamed.steps)).toEqual(calls(whole.steps));
    expect(
      calls(whole.steps)
        .flat()
        .map((it) => it.toolName),
    ).toEqual(['list', 'askRisks', 'askDocuments']);
    expect(await streamed.text).toBe(whole.text);
    expect(whole.text).toMatch(/None\.[\s\S]*No report: out to lunch\n/);
    expect(whole.steps.map((it) => it.reasoningText)).toEqual((await streamed.steps).map((it) => it.reasoningText));
  });

  test('say who they are, and count no tokens', async () => {
    const { steps, totalUsage } = await triage.generate({ prompt });
    for (const { model } of steps) expect(model).toEqual({ provider: 'telltale.rules', modelId: 'rules-1 (no LLM)' });
    expect([totalUsage.inputTokens, totalUsage.outputTokens, totalUsage.totalTokens]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('go by the prompt alone: ids of calls may repeat between conversations, and results come in any order', async () => {
    const listing = { folder: '.', files: 0, bytes: 0, entries: [], leftOut: [] };
    const output = (value: object) => ({ type: 'json', value: value as never }) as const;
    const called = (toolCallId: string, folder: string) =>
      ({ type: 'tool-call', toolCallId, toolName: 'list', input: { folder } }) as const;
    const came = (toolCallId: string, value: object) =>
      ({ type: 'tool-result', toolCallId, toolName: 'list', output: output(value) }) as const;
    const { content } = await rulesModel().doGenerate({
      providerOptions: { telltale: { agent: 'Triage' } },
      prompt: [
        { role: 'system', content: 'You are Triage.' },
        { role: 'user', content: [{ type: 'text', text: JSON.stringify({ question: 'What?', places: ['a', 'b'] }) }] },
        { role: 'assistant', content: [called('1', 'a'), called('2', 'b')] },
        { role: 'tool', content: [came('2', { ...listing, folder: 'b' }), came('1', { ...listing, folder: 'a' })] },
      ],
    });
    expect(content).toEqual([
      {
        type: 'text',
        text: 'There is nothing to read. There are no files in a. There are no files in b.\n\nAnswered by rules, no LLM.',
      },
    ]);
  });

  test('stop when they are told to', async () => {
    const abortSignal = AbortSignal.abort(new Error('enough'));
    await expect(rulesModel().doStream({ prompt: [], abortSignal })).rejects.toThrow('enough');
  });
});
