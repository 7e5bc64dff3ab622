import { emptySnapshot, type RunSnapshot } from 'telltale/protocol';
import { expect, test } from 'vitest';
import { asMarkdown, tokensOf } from './as-markdown.ts';

const at = { startSeq: 2, startedAt: '2026-11-21T10:00:00.000Z' };
const run: RunSnapshot = {
  ...emptySnapshot('r1'),
  agent: 'analyst',
  status: 'failed',
  events: 12,
  durationMs: 4_200,
  input: 'Why was order 8f2c\nrefunded twice?',
  plan: { goal: 'Find out', stepIds: ['a', 'b'] },
  steps: [
    { ...at, id: 'a', name: 'Read', status: 'completed' },
    { id: 'b', name: 'Decide', status: 'pending' },
  ],
  tools: [
    {
      ...at,
      id: 't',
      name: 'search',
      status: 'completed',
      argsText: '',
      args: { q: '`a` and ``b``' },
      result: 'x'.repeat(500),
      durationMs: 40,
    },
    {
      ...at,
      id: 'u',
      name: 'list\u202egnp',
      status: 'failed',
      argsText: '',
      error: { code: 'timed_out', message: 'no answer' },
    },
  ],
  errors: [{ code: 'timed_out', message: 'no answer', seq: 9 }],
  messages: [{ ...at, id: 'm', role: 'assistant', status: 'completed', text: 'Because **of** it.' }],
};

test('a run is written to be read: what was asked, done, went wrong and was answered', () => {
  expect(asMarkdown(run)).toBe(`# Why was order 8f2c

- Run: \`r1\` of agent analyst
- State: failed after 4 s, 12 events

## Input

\`\`\`
Why was order 8f2c
refunded twice?
\`\`\`

## Plan

Find out

- [x] Read
- [ ] Decide

## Tool calls

- **search** \`\`\` {"q":"\`a\` and \`\`b\`\`"} \`\`\` completed in 40 ms → \` ${'x'.repeat(400)}… (500 characters) \`
- **list<U+202E>gnp** failed: no answer

## Errors

- event 9: timed_out: no answer

## Answer

Because **of** it.`);
});

test('of very many calls the first and the last are written, and how many are between', () => {
  const tools = Array.from({ length: 1_000 }, (_, i) => ({
    ...at,
    id: `${i}`,
    name: `call-${i}.`,
    status: 'completed' as const,
    argsText: '',
  }));
  const text = asMarkdown({ ...run, tools });
  expect(text).toContain('**call-99.**');
  expect(text).not.toContain('**call-100.**');
  expect(text).toContain('- … 800 more …\n- **call-900.**');
});

test('tokens are estimated by characters', () => {
  expect(tokensOf('12345')).toBe(2);
});
