import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Part } from './events.ts';
import { tapped } from './tap.ts';

const part = (type: string): Part => ({ type });
const listener = () => ({ part: vi.fn(), fail: vi.fn() });

test('nothing is read that was not asked for', async () => {
  const pull = vi.fn((controller: ReadableStreamDefaultController<Part>) => controller.enqueue(part('text-start')));
  const heard = listener();
  const { stream } = tapped({ stream: new ReadableStream({ pull }, { highWaterMark: 0 }) }, heard);
  await nextTurn();
  expect([pull.mock.calls.length, heard.part.mock.calls.length]).toEqual([0, 0]);
  await stream.getReader().read();
  await nextTurn();
  expect([pull.mock.calls.length, heard.part.mock.calls.length]).toEqual([1, 1]);
});

test('a cancel reaches the provider’s stream, a failure the reader: both as they are', async () => {
  const cancel = vi.fn();
  await tapped({ stream: new ReadableStream({ cancel }) }, listener()).stream.cancel('enough');
  expect(cancel).toHaveBeenCalledExactlyOnceWith('enough');

  const failure = new Error('gone');
  const heard = listener();
  const broken = new ReadableStream({ start: (controller) => controller.error(failure) });
  await expect(tapped({ stream: broken }, heard).stream.getReader().read()).rejects.toBe(failure);
  expect(heard.fail).toHaveBeenCalledExactlyOnceWith(failure);
});

test('what holds no stream that can be heard passes as it is, and the rest of a result stays', () => {
  const read = new ReadableStream();
  read.getReader();
  for (const result of [undefined, 'text', { content: [] }, { stream: 'of consciousness' }, { stream: read }]) {
    expect(tapped(result, listener())).toBe(result);
  }
  expect(tapped({ stream: new ReadableStream(), request: 1 }, listener())).toMatchObject({ request: 1 });
});
