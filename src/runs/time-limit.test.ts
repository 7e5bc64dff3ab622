import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TimeLimit } from './time-limit.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

test('time passes only while nothing holds it', () => {
  const onOver = vi.fn();
  const limit = new TimeLimit(1_000, onOver);
  vi.advanceTimersByTime(5_000);
  limit.release('begin');
  vi.advanceTimersByTime(400);
  limit.hold('paused');
  limit.hold('above');
  vi.advanceTimersByTime(5_000);
  limit.release('paused');
  vi.advanceTimersByTime(5_000);
  limit.release('above');
  vi.advanceTimersByTime(599);
  expect(onOver).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onOver).toHaveBeenCalledOnce();
});

test('after the end, or without a limit, it is never over, whatever is released then', () => {
  const onOver = vi.fn();
  const limit = new TimeLimit(1_000, onOver);
  limit.release('begin');
  limit.hold('above');
  limit.end();
  limit.release('above');
  const unlimited = new TimeLimit(Number.POSITIVE_INFINITY, onOver);
  unlimited.release('begin');
  vi.advanceTimersByTime(1e9);
  expect(onOver).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
