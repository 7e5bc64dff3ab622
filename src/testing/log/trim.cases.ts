import assert from 'node:assert/strict';
import type { Log } from '../../log/index.ts';
import { locate } from '../../protocol/index.ts';
import type { LogCase } from '../log.cases.ts';
import { append, close, key, notes, open, readAll, run, there, values } from './kit.ts';

const R1 = run('r1');

async function filled(log: Log, events: number): Promise<void> {
  await open(log, R1);
  for (let i = 1; i < events; i++) await append(log, R1, notes(R1, 1, i));
}

const bounds = async (log: Log) => {
  const { first, last } = there(await log.head('r1'));
  return [first, last];
};

export const trimCases: readonly LogCase[] = [
  {
    name: 'P7: trimmed events are gone, the others keep their numbers, and the head tells',
    async run(log) {
      await filled(log, 200);
      for (const through of [1, 63, 64, 130]) {
        await log.retention.trim('r1', through);
        assert.deepEqual(await bounds(log), [through + 1, 200]);
        const events = await readAll(log, 'r1');
        assert.equal(events[0]?.seq, through + 1);
        assert.equal(events.length, 200 - through);
        assert.deepEqual(await readAll(log, 'r1', 150), events.slice(150 - through));
      }
      const { epoch, ...head } = there(await log.head('r1'));
      assert.deepEqual(locate({ epoch, seq: 20 }, { epoch, ...head }).reset?.reason, 'truncated');
      const { first } = await append(log, R1, notes(R1, 1, 200));
      assert.equal(first, 201);
      assert.equal(values(await readAll(log, 'r1')).at(-1), 'r1 200');
    },
  },
  {
    name: 'the last event is never trimmed, and nothing comes back',
    async run(log) {
      await filled(log, 5);
      await log.retention.trim('r1', 1_000_000);
      assert.deepEqual(await bounds(log), [5, 5]);
      assert.equal((await readAll(log, 'r1')).length, 1);
      for (const through of [3, 0, -1]) await log.retention.trim('r1', through);
      assert.deepEqual(await bounds(log), [5, 5]);
    },
  },
  {
    name: 'what was decided outlives the events that decided it',
    async run(log) {
      await open(log, R1);
      const ack = await append(log, R1, notes(R1, 1), { producer: key('p', 0, 0), once: 'k' });
      await close(log, R1);
      await open(log, run('r2', 'r1'));
      await log.retention.trim('r1', 3);
      const again = await append(log, R1, notes(R1, 1), { producer: key('p', 0, 0), once: 'k' });
      assert.deepEqual(again, { ...ack, duplicate: true });
      const record = await log.runs.get('r1');
      assert.deepEqual([record?.status, record?.first, record?.last, record?.events], ['completed', 1, 3, 3]);
    },
  },
  {
    name: 'a trim is kept',
    durable: true,
    async run(first, { reopen, crash }) {
      let log = first;
      await filled(log, 20);
      await log.retention.trim('r1', 7);
      log = await crash();
      assert.deepEqual(await bounds(log), [8, 20]);
      await log.retention.trim('r1', 12);
      log = await reopen();
      assert.deepEqual(await bounds(log), [13, 20]);
      assert.equal((await readAll(log, 'r1')).length, 8);
      assert.equal((await append(log, R1, notes(R1, 1))).first, 21);
    },
  },
];
