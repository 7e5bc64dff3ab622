import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { streamServer } from '../../http/stream.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { encodeEvent } from '../../protocol/index.ts';
import { clientOf, closing } from '../client.fixture.ts';
import { Playback, Replay } from './index.ts';

/** When each event of the run happened, in milliseconds. Between the third and the fourth nothing did. */
const TIMES = [0, 100, 200, 60_200, 60_300, 61_300];

let replay: Replay;
let playback: Playback;
let append: (times: readonly number[], closes?: boolean) => Promise<unknown>;

beforeEach(async () => {
  const { log, url, close } = await streamServer();
  closing.push(close);
  let count = 0;
  append = (times, closes = false) => {
    const batch = times.map((ms, i) => {
      const isFirst = count++ === 0;
      const type = isFirst ? 'run.started' : closes && i === times.length - 1 ? 'run.completed' : 'step.started';
      const data = {
        'run.started': { agent: 'a' },
        'run.completed': {},
        'step.started': { stepId: `${count}`, name: 's' },
      };
      return encodeEvent({ type, data: data[type] }, { threadId: 'r', runId: 'r', time: new Date(ms).toISOString() });
    });
    return log.append('r', batch, {
      runId: 'r',
      ...(batch.length === count && { opens: { agent: 'a', createdAt: new Date(0).toISOString() } }),
      ...(closes && { closes }),
    });
  };
  replay = new Replay(clientOf(url).run('r', { from: 'snapshot' }));
  closing.push(() => replay.close());
  playback = new Playback(replay);
  closing.push(() => playback.pause());
});
afterEach(() => vi.useRealTimers());

/** From here on time is the test's. */
async function loaded(isComplete: boolean): Promise<void> {
  replay.open();
  await until(() => replay.getSnapshot().last >= TIMES.length && replay.getSnapshot().isComplete === isComplete);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
}

/** The numbers that were shown, with the milliseconds at which they were. */
async function play(ms: number): Promise<string[]> {
  const shown: string[] = [];
  const start = performance.now();
  const leave = playback.subscribe(() => {
    const { seq, isPlaying } = playback.getSnapshot();
    const text = `${seq ?? 'live'} ${Math.round((performance.now() - start) / 50) * 50}${isPlaying ? '' : ' stopped'}`;
    if (shown.at(-1) !== text) shown.push(text);
  });
  playback.play();
  await vi.advanceTimersByTimeAsync(ms);
  leave();
  return shown;
}

test('plays in the time of the log, passes over what is idle, and ends with the run', async () => {
  await append(TIMES, true);
  await loaded(true);
  playback.seek(1);
  expect(await play(5_000)).toEqual(['1 0', '2 100', '4 200', '5 300', '6 1300 stopped']);
  expect(vi.getTimerCount()).toBe(0);
});

test('waits through what is idle where that is wanted, and plays faster', async () => {
  await append(TIMES, true);
  await loaded(true);
  playback.seek(3);
  playback.setSkipIdle(false);
  playback.setRate(10);
  expect(await play(5_900)).toEqual(['3 0']);
  expect(await play(300)).toContain('4 100');
});

test('begins at the beginning where the end is shown, and comes back to what is now in a run that goes on', async () => {
  await append(TIMES);
  await loaded(false);
  expect(playback.getSnapshot().seq).toBeUndefined();
  expect((await play(3_000)).at(-1)).toBe('live 1300 stopped');
  expect(vi.getTimerCount()).toBe(0);
});

test('steps, and goes from mark to mark; there it stops', async () => {
  await append(TIMES, true);
  await loaded(true);
  const at = async (move: () => void) => {
    move();
    await vi.advanceTimersByTimeAsync(20);
    return playback.getSnapshot().seq;
  };
  expect(await at(() => playback.step(-1))).toBe(5);
  expect(await at(() => playback.previous('step'))).toBe(4);
  expect(await at(() => playback.next('error'))).toBe(4);
  expect(await at(() => playback.step(99))).toBe(6);
  expect(await at(() => playback.seek(-7.5))).toBe(0);
  expect(await at(() => playback.next('step'))).toBe(2);
  expect(await at(() => playback.goLive())).toBeUndefined();
});

test('is told once for a hundred seeks', async () => {
  await append(TIMES, true);
  await loaded(true);
  const told = vi.fn();
  playback.subscribe(told);
  for (let i = 0; i < 100; i++) playback.seek(i % 6);
  await vi.advanceTimersByTimeAsync(20);
  expect(told).toHaveBeenCalledTimes(1);
});

test('a run is laid out on a line on which a wait is short, and every event has a place of its own', async () => {
  await append([...TIMES, 61_300], true);
  await loaded(true);
  const seqs = [1, 2, 3, 4, 5, 6, 7];
  const places = seqs.map((seq) => replay.place(seq));
  expect(places).toEqual([0, 100, 200, 2_200, 2_300, 3_300, 3_301]);
  expect(places.map((place) => replay.seqAt(place))).toEqual(seqs);
  expect([replay.seqAt(-1), replay.seqAt(2_199), replay.seqAt(9_999)]).toEqual([1, 3, 7]);
  const parts = replay.stretches(11).map(({ events, isIdle }) => (isIdle ? '-' : events));
  // A second without an event is no wait.
  expect(parts).toEqual([3, '-', '-', '-', '-', '-', '-', 2, 0, 0, 2]);
});
