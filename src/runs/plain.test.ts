import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonDepth } from '../protocol/index.ts';
import { messageOf, plain } from './plain.ts';

describe('what JSON can say stays as it is', () => {
  test('any JSON value (property)', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expect(JSON.stringify(plain(value))).toBe(JSON.stringify(value));
      }),
    );
  });

  test('a date, a URL and other things that know their JSON', () => {
    const value = { at: new Date(0), url: new URL('http://a.example/'), own: { toJSON: () => [1] } };
    expect(plain(value)).toEqual({ at: '1970-01-01T00:00:00.000Z', url: 'http://a.example/', own: [1] });
  });

  test('one object in two places is written in both', () => {
    const shared = { a: 1 };
    expect(plain({ x: shared, y: [shared] })).toEqual({ x: { a: 1 }, y: [{ a: 1 }] });
  });

  test('a member called __proto__ is a member, and nothing is polluted', () => {
    const copy = plain(JSON.parse('{"__proto__":{"polluted":true},"a":1}')) as object;
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"polluted":true},"a":1}');
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
    expect('polluted' in copy).toBe(false);
  });
});

describe('what JSON cannot say is described in its place', () => {
  class Opaque {
    #secret = 1;
    shown = this.#secret + 1;
  }
  const circle: Record<string, unknown> = { name: 'circle' };
  circle.self = circle;

  test.each<[string, unknown, unknown]>([
    ['a BigInt', 12345678901234567890n, '12345678901234567890'],
    ['not a number', Number.NaN, 'NaN'],
    ['infinity', Number.NEGATIVE_INFINITY, '-Infinity'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a function', function search() {}, '[function search]'],
    ['a cycle', circle, { name: 'circle', self: '[circular]' }],
    ['undefined members, which go', { a: undefined, b: 1 }, { b: 1 }],
    ['a map by names', new Map([['a', 1n]]), { a: '1' }],
    ['a map by anything', new Map([[1, { a: 1 }]]), [[1, { a: 1 }]]],
    ['a set', new Set(['a']), ['a']],
    ['an error', new TypeError('no', { cause: 'x' }), { name: 'TypeError', message: 'no', cause: 'x' }],
    [
      'an error with a code',
      Object.assign(new Error('no'), { code: 'E' }),
      { name: 'Error', message: 'no', code: 'E' },
    ],
    ['bytes', new Uint8Array(300), '[Uint8Array of 300 bytes]'],
    ['an instance, by what it shows', new Opaque(), { shown: 2 }],
    ['a boxed value', Object('text'), 'text'],
    [
      'a getter that throws, alone',
      Object.defineProperty({ a: 1 }, 'b', {
        enumerable: true,
        get: () => {
          throw new Error('no network');
        },
      }),
      { a: 1, b: '[unreadable: no network]' },
    ],
    [
      'toJSON that throws',
      {
        toJSON: () => {
          throw new Error('x');
        },
      },
      '[unreadable: x]',
    ],
    [
      'toJSON that gives itself',
      (() => {
        const it: object = { toJSON: () => it };
        return it;
      })(),
      '[circular]',
    ],
    ['a revoked proxy', revoked(), "[unreadable: Cannot perform 'IsArray' on a proxy that has been revoked]"],
  ])('%s', (_name, value, expected) => {
    expect(plain({ value })).toEqual({ value: expected });
  });

  test('too deep nesting ends at the limit, in what is stored and without a stack overflow', () => {
    let value: unknown = 'bottom';
    for (let i = 0; i < 100_000; i++) value = [value];
    const json = JSON.stringify(plain(value));
    expect(jsonDepth(json)).toBe(64);
    expect(json).toContain('[nested too deeply]');
  });

  test('a small graph that spells out a huge tree ends as well', () => {
    let value: unknown = {};
    for (let i = 0; i < 40; i++) value = [value, value];
    expect(JSON.stringify(plain(value)).length).toBeLessThan(5_000_000);
  });
});

test('the message of anything thrown can be read', () => {
  const hostile = {
    get message() {
      throw new Error('no');
    },
  };
  const thrown = [new Error('a'), 'b', undefined, null, 7n, { message: 'c' }, { d: 1 }, hostile, Object.create(null)];
  expect(thrown.map(messageOf)).toEqual([
    'a',
    'b',
    'undefined',
    'null',
    '7',
    'c',
    '{"d":1}',
    'an error that cannot be read',
    '{}',
  ]);
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
