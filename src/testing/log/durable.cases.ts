import assert from 'node:assert/strict';
import type { Log } from '../../log/index.ts';
import { locate } from '../../protocol/index.ts';
import type { LogCase } from '../log.cases.ts';
import { append, close, encode, key, notes, open, readAll, refuses, run, there } from './kit.ts';

const R1 = run('r1', 't');
const R2 = run('r2', 't');

/** All that can be seen of the threads and runs of these cases. */
const everything = async (log: Log) => ({
  head: await log.head('t'),
  events: await readAll(log, 't'),
  runs: await log.runs.list({ limit: 100 }),
});

async function fill(log: Log): Promise<void> {
  await open(log, R1, { owner: 'ann' });
  await open(log, R2);
  for (let seq = 0; seq < 30; seq++) await append(log, R1, notes(R1, 3, seq), { producer: key('p', 2, seq) });
  await append(log, R2, notes(R2, 1), { once: 'approval:a' });
  await append(log, R2, [encode(R2, 'run.paused')]);
  await close(log, R1, { producer: key('p', 2, 30) });
}

export const durableCases: readonly LogCase[] = (['reopen', 'crash'] as const).flatMap((how): LogCase[] => [
  {
    name: `everything acknowledged is there after a ${how}: events, numbers, epoch, runs`,
    durable: true,
    async run(first, again) {
      await fill(first);
      const before = await everything(first);
      let log = await again[how]();
      assert.deepEqual(await everything(log), before);
      log = await again[how]();
      assert.deepEqual(await everything(log), before);
      const { epoch, last } = there(before.head);
      assert.deepEqual(await append(log, R2, notes(R2, 1)), { epoch, first: last + 1, last: last + 1 });
      assert.deepEqual(locate({ epoch, seq: last }, there(await log.head('t'))), { after: last });
    },
  },
  {
    name: `everything decided is decided after a ${how}: repeats, conflicts, gaps, fences, once keys, ends, ids`,
    durable: true,
    async run(first, again) {
      await fill(first);
      const log = await again[how]();
      const { last } = there(await log.head('t'));
      for (const seq of [0, 17, 29]) {
        const { first, duplicate } = await append(log, R1, notes(R1, 3, seq), { producer: key('p', 2, seq) });
        assert.deepEqual([first, duplicate], [3 + 3 * seq, true]);
      }
      assert.equal((await close(log, R1, { producer: key('p', 2, 30) })).duplicate, true);
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 2, 4, 'other') }), 'producer_conflict');
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 2, 31) }), 'run_closed');
      await refuses(append(log, R2, notes(R2, 1), { producer: key('p', 0, 1) }), 'producer_gap', { expected: 0 });
      await refuses(append(log, R2, notes(R2, 1), { once: 'approval:a' }), 'already_decided', { seq: 93 });
      await refuses(open(log, R2), 'run_exists');
      await refuses(open(log, run('r1', 'elsewhere')), 'run_exists');
      assert.equal((await log.head('t'))?.last, last);
    },
  },
  {
    name: `P8: a producer goes on where it was after a ${how}, and older epochs stay fenced`,
    durable: true,
    async run(first, again) {
      await open(first, R1);
      for (const seq of [0, 1]) await append(first, R1, notes(R1, 1), { producer: key('p', 5, seq) });
      const log = await again[how]();
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 5, 3) }), 'producer_gap', { expected: 2 });
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 4, 0) }), 'producer_fenced', { epoch: 5 });
      assert.equal((await append(log, R1, notes(R1, 1), { producer: key('p', 5, 2) })).first, 4);
    },
  },
]);
