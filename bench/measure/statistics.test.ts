import { expect, test } from 'vitest';
import { interleaved, percentile, spread } from './statistics.ts';

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

test('a percentile is one of the values, by its rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([50, 95, 100].map((it) => percentile(hundred, it))).toEqual([50, 95, 100]);
  expect(percentile([7], 95)).toBe(7);
  expect(percentile([], 95)).toBeNaN();
});
