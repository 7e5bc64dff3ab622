import { expect, test } from 'vitest';
import { failure } from './failure.ts';

const hostile = {
  get message() {
    throw new Error('not yours');
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

test.each([
  ['a text', 'no', 'no'],
  ['nothing', undefined, 'undefined'],
  ['an object', { reason: 1 }, '{"reason":1}'],
  ['an error without words', new Error(), 'Error'],
  [
    'an error without words that has a code',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  ['a big integer', 10n, '10'],
  ['an object whose message throws', hostile, 'An error that cannot be read.'],
  ['a revoked proxy', revoked.proxy, 'An error that cannot be read.'],
])('whatever is thrown is told: %s', (_name, thrown, message) => {
  expect(failure(thrown, 'tool_failed', true)).toEqual({ code: 'tool_failed', message });
});
