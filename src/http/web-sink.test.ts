import { beforeEach, describe, expect, test, vi } from 'vitest';
import { WebSink } from './web-sink.ts';

const STALLED_MS = 200;
const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the portable sink', () => {
  let sink: WebSink;
  let reader: ReadableStreamDefaultReader<Uint8Array>;
  const drained = vi.fn();
  const closed = vi.fn();
  const take = async () => (await reader.read()).value?.length;

  function open(options: ConstructorParameters<typeof WebSink>[0] = {}): void {
    sink = new WebSink(options);
    reader = sink.body.getReader();
    sink.open({ drained, closed }, STALLED_MS);
  }

  beforeEach(() => {
    drained.mockClear();
    closed.mockClear();
    open();
  });

  test('gives out nothing before it is asked, and has enough as soon as anything waits', async () => {
    expect(sink.write(bytes(10))).toBe(false);
    expect(await take()).toBe(10);
    expect(drained).toHaveBeenCalledTimes(1);
    const asked = take();
    await turn();
    expect(sink.write(bytes(20))).toBe(true);
    expect(await asked).toBe(20);
    expect(drained).toHaveBeenCalledTimes(1);
  });

  test('drains when the last piece was taken, not before', async () => {
    sink.write(bytes(40 * 1024));
    const sizes = [];
    for (let i = 0; i < 3; i++) {
      expect(drained).not.toHaveBeenCalled();
      sizes.push(await take());
    }
    expect([sizes, drained.mock.calls.length]).toEqual([[16_384, 16_384, 8192], 1]);
  });

  test('gives out copies: a reader that changes or transfers its piece changes nobody else’s', async () => {
    const shared = bytes(10);
    sink.write(shared);
    const { value } = await reader.read();
    structuredClone(value, { transfer: [value!.buffer] });
    expect(shared).toEqual(bytes(10));
  });

  test('ends when everything was taken', async () => {
    sink.write(bytes(10));
    sink.end();
    expect(sink.closed).toBe(false);
    expect(await take()).toBe(10);
    expect([(await reader.read()).done, sink.closed, closed.mock.calls.length]).toEqual([true, true, 1]);
  });

  test('is closed by a reader that cancels, and by a request that is aborted', async () => {
    sink.write(bytes(10));
    await reader.cancel();
    expect([sink.closed, closed.mock.calls.length, sink.write(bytes(1))]).toEqual([true, 1, true]);
    sink.abort();
    expect(closed).toHaveBeenCalledTimes(1);

    const request = new AbortController();
    open({ signal: request.signal });
    const asked = reader.read();
    request.abort();
    expect([sink.closed, closed.mock.calls.length, (await asked).done]).toEqual([true, 2, true]);
    open({ signal: request.signal });
    expect(sink.closed).toBe(true);
  });

  test('errors the stream where it is aborted, or breaks the connection where it can', async () => {
    sink.abort();
    await expect(reader.read()).rejects.toMatchObject({ code: 'stream_broken' });
    const cut = vi.fn();
    open({ cut });
    sink.abort();
    expect([cut.mock.calls.length, sink.closed]).toEqual([1, true]);
  });

  test('cuts a reader that takes nothing, and neither a slow nor a quiet one', async () => {
    sink.write(bytes(7 * 16 * 1024));
    const begun = performance.now();
    // Longer than a reader may stall, in steps that are shorter.
    for (let i = 0; i < 6; i++) {
      await take();
      await new Promise((resolve) => setTimeout(resolve, STALLED_MS / 3));
    }
    expect(performance.now() - begun).toBeGreaterThan(STALLED_MS);
    await take();
    await new Promise((resolve) => setTimeout(resolve, STALLED_MS * 1.5));
    expect(sink.closed).toBe(false);

    sink.write(bytes(1));
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1));
    await expect(reader.read()).rejects.toMatchObject({ code: 'stream_broken' });
  });
});
