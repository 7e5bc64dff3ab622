import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { drive, untilAborted } from './drive.ts';

const never = new Promise<never>(() => {});

describe('a body that is a generator', () => {
  test('each yield is waited for; the return value is the result', async () => {
    const log: string[] = [];
    async function* body() {
      log.push('before');
      yield 1;
      log.push('after');
      return 'result';
    }
    const onYield = async (value: unknown) => {
      await nextTurn();
      log.push(`told ${value}`);
    };
    expect(await drive(body(), onYield, new AbortController().signal)).toBe('result');
    expect(log).toEqual(['before', 'told 1', 'after']);
  });

  test('once aborted, a yield throws the reason into it; one that yields on is closed and left', async () => {
    const abort = new AbortController();
    let closed = false;
    let caught: unknown;
    async function* stubborn() {
      try {
        yield 1;
      } catch (error) {
        caught = error;
        try {
          yield 2;
        } finally {
          closed = true;
        }
      }
    }
    const onYield = () => {
      abort.abort('reason');
      return undefined;
    };
    await expect(drive(stubborn(), onYield, abort.signal)).rejects.toBe('reason');
    await nextTurn();
    expect([caught, closed]).toEqual(['reason', true]);
  });

  test('other results are taken as they are, also those that are iterable', async () => {
    const list = [1, 2];
    expect(await drive(list, async () => {}, new AbortController().signal)).toBe(list);
  });
});

/** All values of a source. */
async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe('a source that is read until it is aborted', () => {
  async function* source(left: string[], items: (string | Promise<never>)[]) {
    try {
      for (const item of items) yield await item;
    } finally {
      left.push('left');
    }
  }

  test('the values come as they are, and an error is the reader’s', async () => {
    const { signal } = new AbortController();
    expect(await all(untilAborted(source([], ['a', 'b']), signal))).toEqual(['a', 'b']);
    const broken = source([], [Promise.reject(new Error('broken'))]);
    await expect(all(untilAborted(broken, signal))).rejects.toThrow('broken');
  });

  test('aborted between two values: the source is told, the reader gets the reason', async () => {
    const abort = new AbortController();
    const left: string[] = [];
    const read = async () => {
      for await (const _ of untilAborted(source(left, ['a', 'b']), abort.signal)) abort.abort('reason');
    };
    await expect(read()).rejects.toBe('reason');
    await nextTurn();
    expect(left).toEqual(['left']);
  });

  test('aborted while the next value does not come: nobody waits', async () => {
    const abort = new AbortController();
    const read = all(untilAborted(source([], ['a', never]), abort.signal));
    await nextTurn();
    abort.abort('reason');
    await expect(read).rejects.toBe('reason');
  });

  test('a reader that stops early tells the source', async () => {
    const left: string[] = [];
    for await (const _ of untilAborted(source(left, ['a', 'b']), new AbortController().signal)) break;
    await nextTurn();
    expect(left).toEqual(['left']);
  });
});
