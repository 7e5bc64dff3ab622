import assert from 'node:assert/strict';
import type { LogCase } from '../log.cases.ts';
import { append, close, encode, key, notes, open, opening, readAll, refuses, run, values } from './kit.ts';

const R1 = run('r1');
const R2 = run('r2', 'r1');

export const producerCases: readonly LogCase[] = [
  {
    name: 'P8: the same key and content again answer with the same numbers and store nothing, however long ago',
    async run(log) {
      await open(log, R1);
      const acks = [];
      for (let seq = 0; seq < 40; seq++)
        acks.push(await append(log, R1, notes(R1, 2, seq), { producer: key('p', 0, seq) }));
      for (const seq of [39, 38, 20, 1, 0]) {
        const repeated = await append(log, R1, notes(R1, 2, seq), { producer: key('p', 0, seq) });
        assert.deepEqual(repeated, { ...acks[seq], duplicate: true });
      }
      assert.equal((await log.head('r1'))?.last, 81);
    },
  },
  {
    name: 'P8: a repeat that comes before the first was answered is stored once',
    async run(log) {
      await open(log, R1);
      const send = () => append(log, R1, notes(R1, 3), { producer: key('p', 0, 0) });
      const acks = await Promise.all([send(), send(), send()]);
      assert.deepEqual(
        acks.map(({ first, last }) => [first, last]),
        [
          [2, 4],
          [2, 4],
          [2, 4],
        ],
      );
      assert.equal(acks.filter(({ duplicate }) => duplicate).length, 2);
      assert.equal((await readAll(log, 'r1')).length, 4);
    },
  },
  {
    name: 'P8: a repeated opening batch and a repeated closing batch answer as the first time',
    async run(log) {
      const start = () =>
        log.append('r1', [encode(R1, 'run.started', { agent: 'x' })], {
          runId: 'r1',
          opens: opening(),
          producer: key('p', 0, 0),
        });
      const end = () => close(log, R1, { producer: key('p', 0, 1) });
      const opened = await start();
      assert.deepEqual(await start(), { ...opened, duplicate: true });
      const closed = await end();
      assert.deepEqual(await end(), { ...closed, duplicate: true });
      assert.deepEqual(await start(), { ...opened, duplicate: true });
      assert.equal((await readAll(log, 'r1')).length, 2);
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 0, 2) }), 'run_closed');
    },
  },
  {
    name: 'P8: the same key with other content is producer_conflict',
    async run(log) {
      await open(log, R1);
      await append(log, R1, notes(R1, 1), { producer: key('p', 0, 0, 'one') });
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 0, 0, 'other') }), 'producer_conflict');
      await append(log, R1, notes(R1, 1, 1), { producer: key('p', 0, 1) });
      await refuses(append(log, R1, notes(R1, 1), { producer: key('p', 0, 0, 'other') }), 'producer_conflict');
      assert.equal((await log.head('r1'))?.last, 3);
    },
  },
  {
    name: 'P8: a hole is producer_gap and names the expected number, which stays expected',
    async run(log) {
      await open(log, R1);
      const send = (seq: number) => append(log, R1, notes(R1, 1, seq), { producer: key('p', 3, seq) });
      await refuses(send(1), 'producer_gap', { expected: 0 });
      await send(0);
      await refuses(send(2), 'producer_gap', { expected: 1 });
      await refuses(send(7), 'producer_gap', { expected: 1 });
      await send(1);
      assert.deepEqual(values(await readAll(log, 'r1')), ['r1 0', 'r1 1']);
    },
  },
  {
    name: 'P8: appends sent without waiting for each other keep their producer order',
    async run(log) {
      await open(log, R1);
      const batch = (seq: number) => append(log, R1, notes(R1, 1, seq), { producer: key('p', 0, seq) });
      const acks = await Promise.all(Array.from({ length: 50 }, (_, seq) => batch(seq)));
      assert.deepEqual(
        acks.map(({ first }) => first),
        acks.map((_, i) => i + 2),
      );
    },
  },
  {
    name: 'P8: a new epoch starts at 0 and fences the older ones, whose earlier appends still answer',
    async run(log) {
      await open(log, R1);
      const send = (epoch: number, seq: number) => append(log, R1, notes(R1, 1), { producer: key('p', epoch, seq) });
      const old = await send(1, 0);
      await refuses(send(2, 1), 'producer_gap', { expected: 0 });
      await send(2, 0);
      await refuses(send(1, 1), 'producer_fenced', { epoch: 2 });
      await refuses(send(0, 0), 'producer_fenced', { epoch: 2 });
      // A refusal would say that it was not stored.
      assert.deepEqual(await send(1, 0), { ...old, duplicate: true });
      await send(2, 1);
    },
  },
  {
    name: 'P8: numbers are counted per producer and run',
    async run(log) {
      await Promise.all([open(log, R1), open(log, R2)]);
      for (const it of [R1, R2]) {
        for (const id of ['p', 'q']) await append(log, it, notes(it, 1), { producer: key(id, 0, 0) });
      }
      await refuses(append(log, R2, notes(R2, 1), { producer: key('q', 0, 2) }), 'producer_gap', { expected: 1 });
      assert.equal((await log.head('r1'))?.last, 6);
    },
  },
  {
    name: 'a refused append does not use up its number',
    async run(log) {
      await open(log, R1, { leased: true });
      const send = (options: { fence?: number; once?: string }) =>
        append(log, R1, notes(R1, 1), { producer: key('p', 0, 0), ...options });
      await refuses(send({ fence: 9 }), 'lease_fenced');
      await append(log, R1, notes(R1, 1), { once: 'k' });
      await refuses(send({ once: 'k' }), 'already_decided');
      const { duplicate } = await send({ fence: 1 });
      assert.equal(duplicate, undefined);
    },
  },
  {
    name: 'odd ids and digests of producers are names like any other',
    async run(log) {
      await open(log, R1);
      const ids = ['__proto__', 'constructor', 'a!b', 'a.0', 'a', 'é', 'e\u0301', '\u{10ffff}', 'x'.repeat(256), ' '];
      for (const id of ids) await append(log, R1, notes(R1, 1), { producer: key(id, 0, 0, id) });
      for (const id of ids) {
        const { duplicate } = await append(log, R1, notes(R1, 1), { producer: key(id, 0, 0, id) });
        assert.equal(duplicate, true, id);
      }
      assert.equal((await log.head('r1'))?.last, 1 + ids.length);
    },
  },
];
