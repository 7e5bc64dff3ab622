import { describe, expect, test } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { type AgentRef, emptySnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { append, custom, type Draft, delta, END, START } from './drafts.fixture.ts';
import { type RecordedViewer, until } from './recording.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

const eventsOf = (viewer: RecordedViewer) => viewer.events.map(({ data }) => JSON.parse(data) as TelltaleEvent);
const foldOf = (events: Iterable<TelltaleEvent>) => reduceAll(emptySnapshot('t'), events);

describe('merging deltas (P5)', () => {
  test('50,000 deltas of three agents side by side come to a late viewer in 2 % of the frames, and fold to the same', async () => {
    const log = openMemory();
    await append(log, 't', [START]);
    const agents = ['x', 'y', 'z'].map((id): AgentRef => ({ id, name: 'Writer', path: id }));
    const say = (n: number): Draft => ['message.delta', { messageId: 'm', delta: `${n} ` }, agents[n % 3]!];
    for (let n = 0; n < 50_000; n += 100)
      await append(
        log,
        't',
        Array.from({ length: 100 }, (_, i) => say(n + i)),
      );
    await append(log, 't', [END]);
    const { viewer } = await watch(hubOn(log), { selection: { runId: 't' }, coalesce: 'default' });
    await until(() => viewer.ended);
    const { blocks } = await log.read('t', 0, Number.POSITIVE_INFINITY);
    expect(viewer.frames.length).toBeLessThanOrEqual(1000);
    expect(foldOf(eventsOf(viewer))).toEqual(foldOf(blocks.flatMap((block) => [...block.events()])));
  });

  test('is for history: a viewer that keeps up gets each by itself, unless it asks otherwise', async () => {
    const log = openMemory();
    await append(log, 't', [START, delta('a'), delta('b')]);
    const hub = hubOn(log);
    const [usual, always, never] = await Promise.all(
      (['default', true, false] as const).map(async (coalesce) => {
        const { viewer } = await watch(hub, { coalesce });
        await caughtUp(viewer);
        return viewer;
      }),
    );
    await append(log, 't', [delta('c'), delta('d')]);
    const given = (viewer: RecordedViewer) => names(viewer).filter((name) => !name.startsWith('stream.'));
    await until(() => [usual, always, never].every((viewer) => viewer!.cursor?.endsWith('.5')));
    const [start, both] = ['run.started 1', 'message.delta 3'];
    expect(given(usual!)).toEqual([start, both, 'message.delta 4', 'message.delta 5']);
    expect(given(always!)).toEqual([start, both, 'message.delta 5']);
    expect(given(never!)).toEqual([start, 'message.delta 2', both, 'message.delta 4', 'message.delta 5']);
  });

  test('is for viewers that fell behind: the same text in fewer frames, from the window and from the log', async () => {
    for (const windowBytes of [10_000, 10_000_000]) {
      const log = openMemory();
      await append(log, 't', [START]);
      const hub = hubOn(log, { windowBytes });
      const slow = await watch(hub, { room: 1000, coalesce: 'default' });
      const fast = await watch(hub, { coalesce: 'default' });
      await Promise.all([caughtUp(slow.viewer), caughtUp(fast.viewer)]);
      for (let i = 0; i < 3000; i++) {
        const { last } = await append(log, 't', [delta('some text '), ...(i % 1000 ? [] : [custom(i)])]);
        if (i % 10 === 0) await until(() => fast.viewer.cursor?.endsWith(`.${last}`) ?? false);
      }
      await until(() => fast.viewer.events.length === 3004);
      await until(() => {
        slow.sink.drain();
        return slow.viewer.cursor === fast.viewer.cursor;
      });
      if (windowBytes < 100_000) expect(slow.viewer.events.length).toBeLessThan(100);
      expect(foldOf(eventsOf(slow.viewer))).toEqual(foldOf(eventsOf(fast.viewer)));
    }
  });
});
