import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { TelltaleError } from '../protocol/index.ts';
import { checkHistory } from '../testing/history-checker.ts';
import { append, custom, START } from './drafts.fixture.ts';
import { ForkingLog } from './forking-log.fixture.ts';
import { Hub } from './index.ts';
import { Recording, until } from './recording.fixture.ts';
import { scheduled, settle } from './scheduled-log.fixture.ts';
import { caughtUp, hubOn, names, watch } from './watch.fixture.ts';

describe('when the log changes under a stream (P4, P7)', () => {
  test('viewers beyond the place where it was cut are reset in mid-stream, the others go on', async () => {
    const forking = new ForkingLog();
    const recording = new Recording();
    const say = () => recording.block(forking.append());
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

  test('a heartbeat between a cut and its reset moves no cursor: it could name what the viewer was never given', async () => {
    const forking = new ForkingLog();
    for (let i = 0; i < 6; i++) forking.append();
    let hold: Promise<void> | undefined;
    // Viewers read whole pages, the tail does not: the tail learns of the cut while the viewer still waits.
    const read: Log['read'] = async (threadId, after, bytes) => {
      const page = await forking.log.read(threadId, after, bytes);
      if (bytes !== undefined) await hold;
      return page;
    };
    const hub = hubOn({ ...forking.log, read }, { heartbeatMs: 160, latenessMs: 1e9 });
    const { viewer } = await watch(hub, { selection: { types: ['tool.*'] } });
    await caughtUp(viewer);
    // Past the viewer, whose view has none of them; it looks at them once per turn of the event loop.
    forking.append();
    forking.append();
    await new Promise((resolve) => setImmediate(resolve));
    const before = viewer.frames.length;
    const released = Promise.withResolvers<void>();
    hold = released.promise;
    forking.fork(4);
    forking.append();
    await until(() => viewer.comments.filter((it) => it.startsWith('heartbeat e2')).length >= 2);
    expect(viewer.frames.slice(before)).toEqual([]);
    released.resolve();
    await until(() => viewer.frames.length > before);
    expect(viewer.frames[before]?.event).toBe('stream.reset');
  });

  test('whenever it is cut, and whatever the order of wake-ups and answers: every viewer ends with the log as it is', async () => {
    const scenario = fc.asyncProperty(
      fc.scheduler(),
      fc.record({ before: fc.integer({ min: 1, max: 6 }), lost: fc.nat({ max: 4 }), after: fc.nat({ max: 4 }) }),
      fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (s, { before, lost, after }, cursors, hintsOnly) => {
        const forking = new ForkingLog();
        const recording = new Recording();
        const say = () => recording.block(forking.append());
        for (let n = 0; n < before; n++) say();
        const hub = new Hub(scheduled(forking.log, s, hintsOnly), { latenessMs: 1e9, heartbeatMs: 1e9 });
        const opened = cursors.map(async (cursor, i) => {
          const viewer = recording.viewer(`v${i}`);
          if (cursor > 0 && cursor <= before) viewer.cursor = `e1.${cursor}`;
          await s.schedule(Promise.resolve(), 'a viewer comes');
          await watch(hub, { viewer });
          return viewer;
        });
        const happening = (async () => {
          for (let n = 0; n < 2; n++) {
            await s.schedule(Promise.resolve(), 'appends');
            say();
          }
          await s.schedule(Promise.resolve(), 'loses its end');
          const shared = Math.max(1, forking.last - lost);
          forking.fork(shared);
          recording.records.push({ at: performance.now(), what: 'forked', epoch: 'e2', after: shared });
          for (let n = 0; n <= after; n++) {
            await s.schedule(Promise.resolve(), 'appends');
            say();
          }
        })();
        await settle(s);
        await happening;
        for (const viewer of await Promise.all(opened)) {
          expect(viewer.cursor).toBe(`e2.${forking.last}`);
          viewer.complete();
        }
        const findings = checkHistory(recording.records);
        const closing = hub.close();
        await settle(s);
        await closing;
        expect(findings).toEqual([]);
      },
    );
    await fc.assert(scenario, { numRuns: process.env.TELLTALE_LONG ? 50_000 : 2000 });
  }, 300_000);

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
