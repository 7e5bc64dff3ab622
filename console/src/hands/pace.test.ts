import type { LlmSpan } from 'telltale/protocol';
import { expect, test } from 'vitest';
import { msLeft } from './pace.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 20, 18, 0, second)).toISOString();
const calls = (...ends: readonly number[]): LlmSpan[] =>
  ends.map((end, i) => ({
    ...{ id: `${i}`, model: 'm', status: 'completed', startSeq: i, startedAt: at(end), endedAt: at(end) },
  }));
const run = (...ends: readonly number[]) => ({ startedAt: at(0), llmCalls: calls(...ends), tools: [] });
const tokens = (used: number | undefined) =>
  ({ limit: 'tokens', max: 1_000, ...(used !== undefined && { used }) }) as const;

test('what is left lasts as long as it took to use as much, by the times of the log', () => {
  expect(msLeft(tokens(250), run(5, 10, 20))).toBe(60_000);
  expect(msLeft(tokens(500), run(5, 10, 20))).toBe(20_000);
});

test.each([
  ['too few calls', tokens(250), run(5, 10)],
  ['too short a time', tokens(250), run(1, 2, 3)],
  ['nothing used', tokens(0), run(5, 10, 20)],
  ['nothing known', tokens(undefined), run(5, 10, 20)],
  ['nothing left', tokens(1_000), run(5, 10, 20)],
  ['calls that do not count', { limit: 'toolCalls', used: 2, max: 3 } as const, run(5, 10, 20)],
])('%s: nothing is said', (_, use, of) => {
  expect(msLeft(use, of)).toBeUndefined();
});
