import { describe, expect, test } from 'vitest';
import { argsLine } from './call.ts';

describe('the arguments of a call in a line', () => {
  test.each([
    [
      { q: '8f2c', limit: 20, deep: { a: 1 }, list: [1, 2], none: [], no: null },
      'q: "8f2c", limit: 20, deep: {…}, list: [2], none: [], no: null',
    ],
    ['a text', '"a text"'],
    [{ text: 'x'.repeat(1_000) }, `text: "${'x'.repeat(39)}…"`],
    [{ hidden: 'a\u202eb' }, 'hidden: "a<U+202E>b"'],
    [{}, ''],
  ])('%j', (args, line) => {
    expect(argsLine({ args, argsText: '' })).toBe(line);
  });

  test('while they are streamed, their end', () => {
    expect(argsLine({ argsText: `{"q": "${'x'.repeat(200)}ende` })).toMatch(/xende$/);
  });
});
