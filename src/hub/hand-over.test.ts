/** From history to live while events are appended: every order in which the log may answer, wake and commit. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { native } from '../dialects/index.ts';
import type { Log } from '../log/index.ts';
import { openMemory } from '../log/memory.ts';
import { checkHistory, type SeenEvent } from '../testing/history-checker.ts';
import { append, custom, type Draft, END, START } from './drafts.fixture.ts';
import { Hub } from './index.ts';
import { RecordedSink, Recording } from './recording.fixture.ts';
import { scheduled, settle } from './scheduled-log.fixture.ts';

/** Longer than any test: what is found here is found without the timed check. */
const NEVER = 1e9;
const NOTE: Draft = ['status.updated', { status: 's' }];

/** The mistake of half the field: looks at the log first, and follows it then. */
function lookThenFollow(log: Log): Log {
  let follow: (() => Promise<void>) | undefined;
  return {
    ...log,
    async follow(threadId, listener) {
      let unfollow = (): void => {};
      follow = async () => {
        unfollow = await log.follow(threadId, listener);
      };
      return () => unfollow();
    },
    async head(threadId) {
      const head = await log.head(threadId);
      const late = follow;
      follow = undefined;
      await late?.();
      return head;
    },
  };
}

const scenario = (wrap: (log: Log) => Log) =>
  fc.asyncProperty(
    fc.scheduler(),
    fc.oneof(
      fc.constant([1]),
      fc.constant([1, 1]),
      fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 }),
    ),
    fc.array(fc.record({ cursor: fc.constantFrom(0, 1, 2, 3, 4, 4, 4), filtered: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.boolean(),
    fc.boolean(),
    async (s, batches, wanted, tinyWindow, hintsOnly) => {
      const memory = openMemory();
      const recording = new Recording();
      await recording.acked(memory, 'r', await append(memory, 'r', [START, custom(2), NOTE, custom(4)]));
      const { epoch } = (await memory.head('r'))!;
      const hub = new Hub(wrap(scheduled(memory, s, hintsOnly)), {
        latenessMs: NEVER,
        heartbeatMs: NEVER,
        ...(tinyWindow && { windowBytes: 1 }),
      });

      const producing = (async () => {
        for (const [i, size] of batches.entries()) {
          await s.schedule(Promise.resolve(), 'appends');
          const batch = Array.from({ length: size }, (_, n) => ((i + n) % 2 ? NOTE : custom(n)));
          const last = i === batches.length - 1;
          await recording.acked(memory, 'r', await append(memory, 'r', last ? [...batch, END] : batch));
        }
      })();
      const views: Record<string, (event: SeenEvent) => boolean> = {};
      const viewers = wanted.map(({ cursor, filtered }, i) => {
        const viewer = recording.viewer(`v${i}`);
        if (filtered) views[viewer.name] = ({ type }) => type === 'custom' || type === 'run.completed';
        if (cursor > 0) viewer.cursor = `${epoch}.${cursor}`;
        const selection = { runId: 'r', ...(filtered && { types: ['custom'] }) };
        const from = { ...(viewer.cursor !== undefined && { cursor: viewer.cursor }) };
        const opened = s
          .schedule(Promise.resolve(), 'a viewer comes')
          .then(() => hub.open({ dialect: native, threadId: 'r', selection, ...from }, new RecordedSink(viewer)));
        return { viewer, opened };
      });
      await settle(s);
      await producing;
      for (const { viewer, opened } of viewers) {
        await opened;
        viewer.complete();
      }
      const findings = checkHistory(recording.records, { views });
      const closing = hub.close();
      await settle(s);
      await closing;
      expect(findings).toEqual([]);
      expect([hub.viewers, hub.threads]).toEqual([0, 0]);
    },
  );

describe('the hand-over from history to live (P7)', () => {
  test('has no hole and no repeat, whatever the order of appends, wake-ups and answers', async () => {
    await fc.assert(
      scenario((log) => log),
      { numRuns: process.env.TELLTALE_LONG ? 50_000 : 1000 },
    );
  }, 300_000);

  test('would have holes if it looked first and followed then, and this test would see them', async () => {
    const { failed, errorInstance } = await fc.check(scenario(lookThenFollow), { numRuns: 300 });
    expect(failed).toBe(true);
    expect(String(errorInstance)).toContain('lost');
  });
});
