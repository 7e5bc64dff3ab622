import { describe, expect, test } from 'vitest';
import { shortId } from '../ui/format.ts';
import { titleOf } from './heading.ts';

describe('what a run is called', () => {
  test.each([
    [{ metadata: { title: 'Refund audit' }, input: 'Why?' }, 'Refund audit'],
    [{ input: '\n  Why was it refunded?\nIn detail.' }, 'Why was it refunded?'],
    [{ input: { question: 'Why?', depth: 3 } }, 'Why?'],
    [
      {
        input: {
          messages: [
            { role: 'user', content: 'first' },
            { role: 'user', content: 'last' },
          ],
        },
      },
      'last',
    ],
    [{ input: { depth: 3 }, agent: 'triage' }, 'triage'],
    [{ input: ' ', metadata: { title: 7 }, agent: 'triage' }, 'triage'],
    [{ input: 'a'.repeat(200) }, `${'a'.repeat(119)}…`],
    [{}, 'Run'],
  ])('%j', (run, title) => {
    expect(titleOf(run)).toBe(title);
  });

  test('a long id is told by its beginning', () => {
    expect(shortId('0123456789abcdef')).toBe('012345…cdef');
    expect(shortId('nightly-7')).toBe('nightly-7');
  });
});
