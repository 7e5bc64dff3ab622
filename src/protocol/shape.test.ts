import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepth } from './depth.ts';
import { checkId, isId } from './ids.ts';
import { isEnded } from './lifecycle.ts';
import { newRunId, randomId } from './random-id.ts';
import { statusAfter } from './status-after.ts';
import { isTerminal } from './terminal.ts';

describe('P1: ids that callers choose', () => {
  it.each(['a', 'A-z_9', 'x'.repeat(32), '__proto__', '-', '0'])('may be %j', (id) => {
    expect(isId(id)).toBe(true);
    expect(checkId(id, 'runId')).toBe(id);
  });

  it.each([
    '',
    'x'.repeat(33),
    'a.b',
    'a/b',
    '..',
    'a b',
    'a\n',
    'é',
    '%2e',
    '{a}',
    '*',
    'a\0',
    7,
    null,
    undefined,
    {},
    ['a'],
  ])('may not be %j', (id) => {
    expect(() => checkId(id, 'runId')).toThrow(
      expect.objectContaining({ code: 'invalid_request', particulars: { field: 'runId' } }),
    );
  });

  it('are made of 128 random bits where none is chosen, every letter as likely as the others', () => {
    const drawn = Array.from({ length: 2000 }, newRunId);
    expect(new Set(drawn).size).toBe(2000);
    const letters = new Map<string, number>();
    for (const id of drawn) {
      expect(id).toMatch(/^[0-9a-z]{25}$/);
      for (const letter of id) letters.set(letter, (letters.get(letter) ?? 0) + 1);
    }
    // 50,000 letters, 1,389 of each on average, standard deviation 37: six of them.
    for (const count of letters.values()) expect(Math.abs(count - 1389)).toBeLessThan(225);
    expect(letters.size).toBe(36);
    expect([0, 1, 33].map((length) => randomId(length).length)).toEqual([0, 1, 33]);
  });
});

describe('P9: the depth of a JSON text', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0;

  it('is that of what it parses to, brackets in texts aside', () => {
    const text = fc.string({ unit: fc.constantFrom('{', '[', '"', '\\', ']', '}', 'a') });
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        text,
        fc.nat(),
        fc.array(tie('value')),
        fc.dictionary(text, tie('value')),
      ),
    })).value;
    fc.assert(fc.property(value, (value) => jsonDepth(JSON.stringify(value)) === depthOf(value)));
  });

  it('is counted where nothing could be parsed or written back', () => {
    expect(jsonDepth('['.repeat(1_000_000))).toBe(1_000_000);
    expect(jsonDepth(`${'[{"a":'.repeat(50_000)}1${'}]'.repeat(50_000)}`)).toBe(100_000);
    expect(jsonDepth(']]]]"unclosed {{{')).toBe(0);
  });
});

describe('P1: the life of a run', () => {
  it('ends with exactly three events', () => {
    const types = [
      'run.queued',
      'run.started',
      'run.paused',
      'run.resumed',
      'run.completed',
      'run.failed',
      'run.cancelled',
      'custom',
      'constructor',
    ];
    expect(types.filter(isTerminal)).toEqual(['run.completed', 'run.failed', 'run.cancelled']);
    for (const type of types) {
      const status = statusAfter(type);
      expect(status !== undefined && isEnded(status)).toBe(isTerminal(type));
    }
    expect(types.map(statusAfter)).toEqual([
      'queued',
      'running',
      'paused',
      'running',
      'completed',
      'failed',
      'cancelled',
      undefined,
      undefined,
    ]);
  });
});
