import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { TelltaleError } from '../protocol/index.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { append, custom, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import { Recording, until } from './recording.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

describe('when the log changes under a stream (P4, P7)', () => {
  test('viewers beyond the place where it was cut are reset in mid-stream, the others go on', async () => {
    const forking = new ForkingLog();
    const recording = new Recording();
    const say = () => {
      const block = forking.append();
      const { type, runId } = block.entry(block.first);
      const content = new TextDecoder().decode(block.json(block.first));
      const event = { epoch: block.epoch, seq: block.first, type, runId, content };
      recording.records.push({ at: performance.now(), what: 'acked', event });
    };
    for (let i = 0; i < 6; i++) say();
    const hub = hubOn(forking.log);
    const ahead = await watch(hub, { viewer: recording.viewer('ahead') });
    const behind = await watch(hub, { viewer: recording.viewer('behind'), room: 100 });
    await until(() => ahead.viewer.events.length === 6);
    expect(behind.viewer.events).toEqual([]);

    forking.fork(4);
    recording.records.push({ at: performance.now(), what: 'forked', epoch: 'e2', after: 4 });
    say();
    say();
    say();
    await until(() => ahead.viewer.cursor === 'e2.7');
    await until(() => {
      behind.sink.drain();
      return behind.viewer.cursor === 'e2.7';
    });
    for (const { viewer } of [ahead, behind]) viewer.complete();
    expect(checkHistory(recording.records)).toEqual([]);
    const reset = ahead.viewer.frames.find(({ event }) => event === 'stream.reset');
    expect(JSON.parse(reset!.data)).toEqual({ reason: 'diverged', earliest: 1, latest: 7, shared: 4, after: 4 });
    expect(reset!.id).toBe('e1.4');
    expect(names(behind.viewer)).not.toContain('stream.reset 4');
  });

  test('a viewer that history was trimmed under is told what is missing', async () => {
    const log = openMemory();
    await append(log, 't', [START, custom('x'.repeat(200_000))]);
    for (let i = 0; i < 4; i++) await append(log, 't', [custom('x'.repeat(200_000))]);
    const { viewer, sink } = await watch(hubOn(log), { room: 1000 });
    await log.retention.trim('t', 5);
    await until(() => {
      sink.drain();
      return viewer.frames.some(({ event }) => event === 'stream.caught-up');
    });
    const reset = viewer.frames.find(({ event }) => event === 'stream.reset');
    const data = JSON.parse(reset!.data) as { shared: number };
    expect(data).toEqual({ reason: 'truncated', earliest: 6, latest: 6, shared: data.shared, after: 5 });
    expect(data.shared).toBeLessThan(5);
    expect(viewer.cursor).toMatch(/\.6$/);
  });

  test('every commit arrives in time though every wake-up is lost', async () => {
    const memory = openMemory();
    const deaf: Log = {
      ...memory,
      head: (id) => memory.head(id),
      read: (...args) => memory.read(...args),
      follow: async () => () => {},
    } as Log;
    await append(memory, 't', [START]);
    const recording = new Recording();
    const latenessMs = 300;
    const { viewer } = await watch(hubOn(deaf, { latenessMs }), { viewer: recording.viewer('v') });
    await caughtUp(viewer);
    for (let n = 2; n <= 6; n++) {
      await recording.acked(memory, 't', await append(memory, 't', [custom(n)]));
      await until(() => viewer.cursor?.endsWith(`.${n}`) ?? false);
    }
    expect(checkHistory(recording.records, { latenessMs })).toEqual([]);
    expect(viewer.events).toHaveLength(6);
  });

  test('what one viewer reads of the log is news to all of them, though every wake-up is lost', async () => {
    const memory = openMemory();
    let reads = 0;
    const deaf = {
      ...memory,
      head: (id: string) => memory.head(id),
      read: (...args: Parameters<Log['read']>) => {
        reads++;
        return memory.read(...args);
      },
      follow: async () => () => {},
    } as Log;
    await append(memory, 't', [START]);
    const hub = hubOn(deaf, { latenessMs: 1e9 });
    const early = await watch(hub);
    await caughtUp(early.viewer);
    await append(memory, 't', [custom(2), custom(3)]);
    const late = await watch(hub);
    await until(() => early.viewer.events.length === 3 && late.viewer.events.length === 3);
    await caughtUp(late.viewer);
    expect(reads).toBeLessThan(5);
  });

  test('a log that cannot be read cuts the stream, so that the client comes back, and is reported', async () => {
    const memory = openMemory();
    await append(memory, 't', [START]);
    const broken = {
      ...memory,
      head: (id: string) => memory.head(id),
      follow: memory.follow.bind(memory),
      read: () => Promise.reject(new TelltaleError('log_unavailable', 'The disk is away')),
    } as unknown as Log;
    const errors: unknown[] = [];
    const hub = hubOn(broken, { onError: (error) => errors.push(error) });
    const { sink } = await watch(hub);
    await until(() => sink.closed);
    expect(sink.end_).toBe('abort');
    expect(errors).toMatchObject([{ code: 'log_unavailable' }]);
    expect([hub.viewers, hub.threads]).toEqual([0, 0]);
  });
});
