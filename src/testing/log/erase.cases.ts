import assert from 'node:assert/strict';
import { type Log, ownerMark, type RunChange, type Tombstone, type Wake } from '../../log/index.ts';
import { isVoid } from '../../protocol/index.ts';
import type { LogCase } from '../log.cases.ts';
import { append, close, key, LATE_MS, notes, open, opening, readAll, refuses, run, there } from './kit.ts';

const GONE = run('gone', 't');
const KEPT = run('kept', 't');

/** Two runs of a thread that take turns, the first of which has ended: its events are 1, 3, 5 … 2n + 1 and 2n + 3. */
async function interleaved(log: Log, rounds = 40): Promise<void> {
  await open(log, GONE, { owner: 'ann' });
  await open(log, KEPT);
  for (let i = 0; i < rounds; i++) {
    await append(log, GONE, notes(GONE, 1, i), { producer: key('p', 0, i) });
    await append(log, KEPT, notes(KEPT, 1, i), { producer: key('p', 0, i) });
  }
  await close(log, GONE, { once: 'end:gone' });
}

/** The bytes of every frame of a thread, by number. */
async function frames(log: Log, threadId = 't'): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  let after = 0;
  for (;;) {
    const { blocks } = await log.read(threadId, after);
    for (const block of blocks) {
      assert.equal(block.first, after + 1, 'numbers stay in a row');
      for (const [i, { start, end, type }] of block.entries.entries()) {
        if (isVoid({ type })) assert.equal(start, end, 'what is void has no bytes');
        else found.set(block.first + i, Buffer.from(block.bytes.subarray(start, end)).toString());
      }
      after = block.last;
    }
    if (blocks.length === 0) return found;
  }
}

/** Nothing is left of `gone` but that it was there. */
async function isErased(log: Log): Promise<void> {
  const { particulars } = await refuses(log.runs.get('gone'), 'run_deleted', { runId: 'gone' });
  assert.match(String(particulars.deletedAt), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(
    (await readAll(log, 't')).filter(({ runId }) => runId === 'gone'),
    [],
  );
  for (const query of [{}, { owner: 'ann' }, { threadId: 't' }, { status: 'completed' as const }]) {
    const { runs } = await log.runs.list({ limit: 100, ...query });
    assert.ok(!runs.some(({ runId }) => runId === 'gone'));
  }
}

const erasing: LogCase[] = [
  {
    name: 'P8: an erased run leaves a void: numbers and head stay, other runs of the thread keep every byte',
    async run(log) {
      await interleaved(log);
      const before = await frames(log);
      const head = await log.head('t');
      const kept = await log.runs.get('kept');
      await log.retention.erase('gone');
      await isErased(log);
      const { cause } = await refuses(log.runs.get('gone'), 'run_deleted');
      assert.equal((cause as Tombstone).ownerMark, ownerMark({ runId: 'gone', owner: 'ann' }));
      assert.deepEqual(await log.head('t'), head);
      const after = await frames(log);
      assert.deepEqual(
        [...after],
        [...before].filter(([, frame]) => frame.includes('"runId":"kept"')),
      );
      assert.deepEqual([after.size, before.size], [41, 83]);
      assert.deepEqual(await log.runs.get('kept'), kept);
      for (let seq = 0; seq <= 83; seq++) {
        const events = await readAll(log, 't', seq, 1);
        assert.equal(events.length, [...after.keys()].filter((it) => it > seq).length);
      }
    },
  },
  {
    name: 'P8: appends go on after an erasure, and what had been decided stays decided',
    async run(log) {
      await interleaved(log);
      await log.retention.erase('gone');
      assert.equal((await append(log, KEPT, notes(KEPT, 1), { producer: key('p', 0, 40) })).first, 84);
      const again = await append(log, KEPT, notes(KEPT, 1, 3), { producer: key('p', 0, 3) });
      assert.deepEqual([again.first, again.duplicate], [10, true]);
      await refuses(append(log, KEPT, notes(KEPT, 1), { once: 'end:gone' }), 'already_decided');
      assert.equal((await open(log, run('next', 't'))).first, 85);
      await isErased(log);
    },
  },
  {
    name: 'P8: an erased run takes nothing, its id is never given out again, and erasing it again is no error',
    async run(log) {
      await interleaved(log);
      await log.retention.erase('gone');
      for (let i = 0; i < 2; i++) {
        await refuses(append(log, GONE, notes(GONE, 1)), 'run_deleted');
        await refuses(append(log, GONE, notes(GONE, 1, 3), { producer: key('p', 0, 3) }), 'run_deleted');
        await refuses(open(log, GONE), 'run_deleted');
        await refuses(open(log, run('gone', 'elsewhere')), 'run_deleted');
        await refuses(log.leases.renew('gone', 1), 'run_deleted');
        assert.deepEqual(await log.leases.takeExpired(Number.MAX_SAFE_INTEGER), []);
        await log.retention.erase('gone');
      }
      assert.equal((await log.head('t'))?.last, 83);
    },
  },
  {
    name: 'P8: only a run that has ended is erased',
    async run(log) {
      await refuses(log.retention.erase('none'), 'run_not_found');
      await open(log, GONE);
      await refuses(log.retention.erase('gone'), 'run_open');
      assert.equal((await readAll(log, 't')).length, 1);
      await close(log, GONE);
      await log.retention.erase('gone');
      await isErased(log);
    },
  },
  {
    name: 'P8: a thread whose runs are all erased is still there, goes on, and can be trimmed',
    async run(log) {
      await open(log, GONE);
      for (let i = 0; i < 100; i++) await append(log, GONE, notes(GONE, 7, i));
      await close(log, GONE);
      await log.retention.erase('gone');
      assert.deepEqual(await readAll(log, 't'), []);
      const { first, last } = there(await log.head('t'));
      assert.deepEqual([first, last], [1, 702]);
      await log.retention.trim('t', 350);
      assert.deepEqual(await readAll(log, 't'), []);
      const of = run('next', 't');
      assert.equal((await log.append('t', notes(of, 1), { runId: 'next', opens: opening() })).first, 703);
      assert.deepEqual(
        (await readAll(log, 't', 400)).map(({ seq }) => seq),
        [703],
      );
    },
  },
  {
    name: 'P8: followers are told of an erasure before it resolves',
    async run(log) {
      await interleaved(log, 1);
      const wakes: Wake[] = [];
      const unfollow = await log.follow('t', (wake) => wakes.push(wake));
      await log.retention.erase('gone');
      assert.deepEqual(
        wakes.map(({ erased, last, block }) => [erased, last, block]),
        [['gone', 5, undefined]],
      );
      unfollow();
    },
  },
  {
    name: 'P8: who follows the runs is told of one that is erased, after it is gone',
    async run(log) {
      await interleaved(log, 1);
      const told = Promise.withResolvers<RunChange>();
      const unfollow = await log.runs.follow((change) => told.resolve(change));
      await log.retention.erase('gone');
      await refuses(log.runs.get('gone'), 'run_deleted');
      const late = setTimeout(() => told.reject(new Error('not told that a run was erased')), LATE_MS);
      // Nothing is left of it to be told.
      assert.deepEqual(await told.promise, { runId: 'gone' });
      clearTimeout(late);
      unfollow();
    },
  },
  {
    name: 'P8: many runs of a thread are erased at once',
    async run(log) {
      const runs = Array.from({ length: 12 }, (_, i) => run(`r${i}`, 't'));
      for (const of of runs) await open(log, of);
      for (let i = 0; i < 5; i++) for (const of of runs) await append(log, of, notes(of, 1, i));
      for (const of of runs) await close(log, of);
      const before = await frames(log);
      await Promise.all(runs.filter((_, i) => i % 2).map(({ runId }) => log.retention.erase(runId)));
      const left = [...before].filter(([, frame]) => Number(/"runId":"r(\d+)"/.exec(frame)?.[1]) % 2 === 0);
      assert.deepEqual([...(await frames(log))], left);
    },
  },
];

const surviving = (['reopen', 'crash'] as const).map(
  (how): LogCase => ({
    name: `P8: what was erased stays erased after a ${how}`,
    durable: true,
    async run(first, again) {
      await interleaved(first);
      await first.retention.erase('gone');
      const left = await frames(first);
      let log = first;
      for (let i = 0; i < 2; i++) {
        log = await again[how]();
        await isErased(log);
        assert.deepEqual(await frames(log), left);
        assert.equal((await log.head('t'))?.last, 83 + i);
        await refuses(open(log, GONE), 'run_deleted');
        await log.retention.erase('gone');
        await append(log, KEPT, notes(KEPT, 1));
        left.set(84 + i, there((await frames(log)).get(84 + i)));
      }
    },
  }),
);

export const eraseCases: readonly LogCase[] = [...erasing, ...surviving];
