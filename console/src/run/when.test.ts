import { expect, test } from 'vitest';
import { sinceStart } from './when.tsx';

test.each([
  [0, '0:00.0'],
  [31_249, '0:31.2'],
  [59_999, '0:59.9'],
  [725_000, '12:05.0'],
  [3_723_900, '1:02:03'],
  [-5, '0:00.0'],
])('%d ms after the start is %s', (ms, text) => {
  expect(sinceStart(ms)).toBe(text);
});
