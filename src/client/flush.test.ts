import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Flush } from './flush.ts';

const frames: (() => void)[] = [];
const page = { visibilityState: 'visible' };

function inPage(visibilityState: string): void {
  page.visibilityState = visibilityState;
  vi.stubGlobal('document', page);
  vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
  vi.stubGlobal('cancelAnimationFrame', (id: number) => frames.splice(id - 1, 1));
}

afterEach(() => {
  vi.unstubAllGlobals();
  frames.length = 0;
});

/** A flush, how often it showed, and when it does next. */
function flushing() {
  const shown = vi.fn();
  return { flush: new Flush(shown), shown, next: () => vi.waitFor(() => expect(shown).toHaveBeenCalled()) };
}

const timers = (): number => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;

describe('a flush', () => {
  test('comes once with the next frame of a page that is looked at, however often it is asked for', () => {
    inPage('visible');
    const { flush, shown } = flushing();
    const before = timers();
    for (let i = 0; i < 5; i++) flush.request();
    expect(frames).toHaveLength(1);
    expect(shown).not.toHaveBeenCalled();
    frames[0]?.();
    expect(shown).toHaveBeenCalledTimes(1);
    expect([frames.length, timers()]).toEqual([0, before]);
  });

  test('comes all the same where the page is hidden before its frame', async () => {
    inPage('visible');
    const { flush, shown, next } = flushing();
    flush.request();
    page.visibilityState = 'hidden';
    await next();
    expect(shown).toHaveBeenCalledTimes(1);
    expect(frames).toHaveLength(0);
  });

  test('waits for a tenth of a second in a hidden page', async () => {
    inPage('hidden');
    const { flush, next } = flushing();
    const began = performance.now();
    flush.request();
    expect(frames).toHaveLength(0);
    await next();
    expect(performance.now() - began).toBeGreaterThan(90);
  });

  describe('of history', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
    afterEach(() => void vi.useRealTimers());

    /** So many milliseconds of a page, with a frame every 16 and something new every 4. */
    function pass(flush: Flush, ms: number): void {
      for (let i = 4; i <= ms; i += 4) {
        flush.request(true);
        vi.advanceTimersByTime(4);
        if (i % 16 === 0) for (const frame of frames.splice(0)) frame();
      }
    }

    test('comes with each frame at first, then ever more seldom, at last four times a second', () => {
      inPage('visible');
      const { flush, shown } = flushing();
      flush.request();
      pass(flush, 64);
      expect(shown.mock.calls.length).toBeGreaterThan(2);
      pass(flush, 936);
      const before = shown.mock.calls.length;
      expect(before).toBeLessThan(15);
      pass(flush, 1_000);
      expect(shown.mock.calls.length - before).toBeGreaterThan(2);
      expect(shown.mock.calls.length - before).toBeLessThan(5);
    });

    test('holds nothing else back', () => {
      inPage('visible');
      const { flush, shown } = flushing();
      pass(flush, 2_004);
      expect([frames.length, vi.getTimerCount()]).toEqual([0, 1]);
      shown.mockClear();
      flush.request();
      expect(frames).toHaveLength(1);
      frames[0]?.();
      expect([shown.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0]);
    });
  });

  test('comes in the next turn where there are no frames', async () => {
    const { flush, shown, next } = flushing();
    flush.request();
    flush.request();
    expect(shown).not.toHaveBeenCalled();
    await next();
    expect(shown).toHaveBeenCalledTimes(1);
  });
});
