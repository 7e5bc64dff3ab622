import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { append, custom, delta, START } from './drafts.fixture.ts';
import { until } from './recording.fixture.ts';
import { caughtUp, hubOn, watch } from './watch.fixture.ts';

describe('a viewer that does not read', () => {
  test.each([100_000, 100_000_000])(
    'holds one page at most, slows nobody, and gets everything when it reads again (window of %d)',
    async (windowBytes) => {
      const log = openMemory();
      await append(log, 't', [START]);
      const hub = hubOn(log, { windowBytes });
      const slow = await watch(hub, { room: 1000 });
      const fast = await watch(hub);
      await caughtUp(fast.viewer);
      for (let i = 0; i < 200; i++)
        await append(
          log,
          't',
          Array.from({ length: 20 }, () => delta('x'.repeat(1000))),
        );
      await until(() => fast.viewer.events.length === 4001);
      expect(slow.viewer.events.length).toBeLessThan(300);
      await until(() => {
        slow.sink.drain();
        return slow.viewer.events.length === 4001;
      });
      expect(slow.sink.mostUnread).toBeLessThanOrEqual(256 * 1024 + 1000);
      expect(slow.viewer.events.map(({ id }) => id)).toEqual(fast.viewer.events.map(({ id }) => id));
      expect(slow.sink.writes).toBeLessThan(40);
    },
  );

  test('gets one frame at a time where frames are larger than a page', async () => {
    const log = openMemory();
    await append(log, 't', [START, ...Array.from({ length: 3 }, () => custom('x'.repeat(260_000)))]);
    const { viewer, sink } = await watch(hubOn(log), { room: 1000 });
    await until(() => {
      sink.drain();
      return viewer.events.length === 4;
    });
    expect(sink.mostUnread).toBeLessThan(262_000);
  });

  test('gets no heartbeats on top of what it does not take', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom('x'.repeat(2000))]);
    const hub = hubOn(log, { heartbeatMs: 20 });
    const slow = await watch(hub, { room: 1000 });
    const { viewer } = await watch(hub);
    const { writes } = slow.sink;
    await until(() => viewer.comments.length > 5);
    expect(slow.sink.writes).toBe(writes);
  });
});
