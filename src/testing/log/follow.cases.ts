import assert from 'node:assert/strict';
import type { Log, Wake } from '../../log/index.ts';
import type { LogCase } from '../log.cases.ts';
import { append, close, encode, LATE_MS, notes, open, readAll, run } from './kit.ts';

const R1 = run('r1');

/** Follows a thread; `reached(n)` resolves once a wake told of `n` or more. */
async function follower(log: Log, threadId: string) {
  const wakes: Wake[] = [];
  let last = 0;
  let waiting: { seq: number; resolve: () => void } | undefined;
  const stop = await log.follow(threadId, (wake) => {
    wakes.push(wake);
    last = Math.max(last, wake.last);
    if (waiting && last >= waiting.seq) waiting.resolve();
  });
  const reached = (seq: number) =>
    new Promise<void>((resolve, reject) => {
      if (last >= seq) return resolve();
      const late = setTimeout(() => reject(new Error(`told of ${last} only, not of ${seq}`)), LATE_MS);
      waiting = { seq, resolve: () => resolve(clearTimeout(late)) };
    });
  return { wakes, reached, stop };
}

export const followCases: readonly LogCase[] = [
  {
    name: 'a follower is told of every commit, in order, with the events or without',
    async run(log) {
      const { wakes, reached } = await follower(log, 'r1');
      const { epoch } = await open(log, R1);
      for (let i = 0; i < 20; i++) void append(log, R1, notes(R1, 2, i));
      await reached(41);
      let last = 0;
      for (const wake of wakes) {
        assert.equal(wake.epoch, epoch);
        assert.ok(wake.last >= last);
        last = wake.last;
        if (!wake.block) continue;
        assert.equal(wake.block.last, wake.last);
        assert.equal(wake.block.epoch, epoch);
        for (const event of wake.block.events()) assert.equal(event.threadId, 'r1');
      }
    },
  },
  {
    name: 'a wake comes after its commit: what it tells of can be read, and no listener runs inside append',
    async run(log) {
      let inside = false;
      let reads: Promise<number>[] = [];
      const { reached } = await follower(log, 'r1');
      await log.follow('r1', ({ last }) => {
        assert.ok(!inside);
        reads.push(log.read('r1', 0).then(({ head }) => head.last - last));
      });
      await open(log, R1);
      for (let i = 0; i < 10; i++) {
        inside = true;
        void append(log, R1, notes(R1, 1, i));
        inside = false;
      }
      await reached(11);
      const lags = await Promise.all(reads);
      assert.ok(lags.length > 0 && lags.every((lag) => lag >= 0), String(lags));
      reads = [];
    },
  },
  {
    name: 'following first and reading then misses nothing',
    async run(log) {
      await open(log, R1);
      const sent: Promise<unknown>[] = [];
      for (let i = 0; i < 30; i++) sent.push(append(log, R1, notes(R1, 1, i)));
      const { wakes, reached } = await follower(log, 'r1');
      const read = await readAll(log, 'r1');
      for (let i = 30; i < 60; i++) sent.push(append(log, R1, notes(R1, 1, i)));
      await Promise.all(sent);
      await reached(61);
      let position = read.length;
      for (const { block, last } of wakes) {
        // Everything from the tail that was read on is told of: block by block, or up to a number.
        if (block && block.last > position) assert.ok(block.first <= position + 1);
        position = Math.max(position, last);
      }
      assert.equal(position, 61);
    },
  },
  {
    name: 'a listener that throws hurts neither the others nor the append',
    async run(log) {
      let thrown = 0;
      await log.follow('r1', () => {
        thrown++;
        throw new Error('from a listener');
      });
      const { reached } = await follower(log, 'r1');
      await open(log, R1);
      await append(log, R1, notes(R1, 1));
      await reached(2);
      assert.ok(thrown > 0);
    },
  },
  {
    name: 'who stopped following is told no more; the others are, also of the same function',
    async run(log) {
      let calls = 0;
      const count = () => void calls++;
      const stops = [await log.follow('r1', count), await log.follow('r1', count)];
      const { reached } = await follower(log, 'r1');
      await open(log, R1);
      await reached(1);
      assert.equal(calls, 2);
      stops[0]?.();
      stops[0]?.();
      await append(log, R1, notes(R1, 1));
      await reached(2);
      assert.equal(calls, 3);
      stops[1]?.();
      await append(log, R1, notes(R1, 1));
      await reached(3);
      assert.equal(calls, 3);
    },
  },
  {
    name: 'followers of other threads are left alone',
    async run(log) {
      const other = await follower(log, 'other');
      const mine = await follower(log, 'r1');
      await open(log, R1);
      await mine.reached(1);
      assert.equal(other.wakes.length, 0);
    },
  },
  {
    name: 'P8: who follows the runs is told of each that a commit has opened, changed or ended, after that commit',
    async run(log) {
      let inside = false;
      const told = new Map<string, Set<string | undefined>>();
      const reads: Promise<void>[] = [];
      const waiting: { id: string; status: string; resolve: () => void }[] = [];
      const stop = await log.runs.follow(({ runId, run }) => {
        assert.ok(!inside);
        const read = log.runs.get(runId).then((now) => {
          if (run) assert.ok(now && now.events >= run.events, 'a hint is not ahead of what can be read');
          told.set(runId, (told.get(runId) ?? new Set()).add(now?.status));
          for (const it of waiting) if (told.get(it.id)?.has(it.status)) it.resolve();
        });
        reads.push(read);
      });
      const reached = (id: string, status: string) =>
        new Promise<void>((resolve, reject) => {
          if (told.get(id)?.has(status)) return resolve();
          const late = setTimeout(() => reject(new Error(`not told that ${id} is ${status}`)), LATE_MS);
          waiting.push({ id, status, resolve: () => resolve(clearTimeout(late)) });
        });
      const other = run('r2', 't');
      inside = true;
      const opened = [open(log, R1), open(log, other)];
      inside = false;
      await Promise.all(opened);
      await Promise.all([reached('r1', 'running'), reached('r2', 'running')]);
      await append(log, R1, [encode(R1, 'run.paused')]);
      await reached('r1', 'paused');
      await close(log, other);
      await reached('r2', 'completed');
      stop();
      stop();
      await Promise.all(reads);
      const before = reads.length;
      const second = new Promise<string>((resolve) => void log.runs.follow(({ runId }) => resolve(runId)));
      await log.runs.follow(() => {
        throw new Error('from a listener');
      });
      await close(log, R1);
      assert.equal(await second, 'r1');
      assert.equal(reads.length, before, 'who stopped following is told no more');
    },
  },
];
