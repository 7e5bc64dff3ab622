import { expect, test } from 'vitest';
import { interleaved, spread } from './statistics.ts';

test('the spread is the middle one and the extremes', () => {
  expect(spread([3, 1, 10])).toEqual({ median: 3, min: 1, max: 10 });
  expect(spread([4, 1, 2, 10])).toEqual({ median: 3, min: 1, max: 10 });
});

test('each repetition has every contender once, and begins with another', () => {
  expect(interleaved(['a', 'b', 'c'], 3).map(({ rep, it }) => `${rep}${it}`)).toEqual([
    '0a',
    '0b',
    '0c',
    '1b',
    '1c',
    '1a',
    '2c',
    '2a',
    '2b',
  ]);
});
