import assert from 'node:assert/strict';
import type { LogCase } from '../log.cases.ts';
import { append, encode, notes, open, readAll, refuses, run, values } from './kit.ts';

const R1 = run('r1');

export const readCases: readonly LogCase[] = [
  {
    name: 'P7: read gives exactly the events after the position, from every position',
    async run(log) {
      await open(log, R1);
      for (let i = 0; i < 90; i++) await append(log, R1, notes(R1, 1 + (i % 3), i));
      const all = await readAll(log, 'r1');
      assert.equal(all.length, 181);
      for (let after = 0; after <= 181; after++) {
        const { head, blocks } = await log.read('r1', after, 1);
        assert.equal(head.last, 181);
        if (after < 181) assert.deepEqual(blocks[0]?.event(after + 1), all[after]);
        assert.equal(blocks[0]?.first, after < 181 ? after + 1 : undefined);
      }
      for (const after of [7, 64, 150]) assert.deepEqual(await readAll(log, 'r1', after, 2000), all.slice(after));
    },
  },
  {
    name: 'a page has at least one block and about as many bytes as asked for',
    async run(log) {
      await open(log, R1);
      const value = 'x'.repeat(10_000);
      for (let i = 0; i < 60; i++) await append(log, R1, [encode(R1, 'custom', { name: 'n', value })]);
      const size = async (bytes?: number) =>
        (await log.read('r1', 0, bytes)).blocks.reduce((sum, block) => sum + block.bytes.length, 0);
      for (const bytes of [0, 1]) assert.ok((await size(bytes)) > 0);
      const page = await size();
      // Blocks are whole, so a page may be larger by one; it must not be the whole log.
      assert.ok(page >= 256 * 1024 && page < 512 * 1024, `a page of ${page} bytes`);
      assert.equal((await readAll(log, 'r1', 0, 1)).length, 61);
    },
  },
  {
    name: 'no blocks means that the position is the tail',
    async run(log) {
      await open(log, R1);
      for (const after of [1, 2, 1000, Number.MAX_SAFE_INTEGER]) {
        const { head, blocks } = await log.read('r1', after);
        assert.deepEqual([blocks.length, head.last], [0, 1]);
      }
    },
  },
  {
    name: 'P7: a thread that is not there is thread_not_found, and has no head',
    async run(log) {
      await refuses(log.read('none', 0), 'thread_not_found');
      await refuses(log.retention.trim('none', 1), 'thread_not_found');
      assert.equal(await log.head('none'), undefined);
      for (const id of ['__proto__', 'constructor']) {
        assert.equal(await log.head(id), undefined);
        assert.equal(await log.runs.get(id), undefined);
        await open(log, run(id));
        assert.equal((await readAll(log, id)).length, 1);
      }
    },
  },
  {
    name: 'a read sees every append that was acknowledged before it, and no part of a batch',
    async run(log) {
      await open(log, R1);
      const appends = [];
      let acked = 1;
      for (let i = 0; i < 60; i++) {
        const sent = append(log, R1, notes(R1, 5, i * 5)).then(({ last }) => {
          acked = Math.max(acked, last);
        });
        appends.push(sent);
        const floor = acked;
        const { head } = await log.read('r1', 0);
        assert.ok(head.last >= floor);
        assert.equal((head.last - 1) % 5, 0);
        const read = await readAll(log, 'r1');
        assert.ok(read.length >= head.last);
        assert.equal((read.length - 1) % 5, 0);
      }
      await Promise.all(appends);
      assert.deepEqual(
        values(await readAll(log, 'r1')),
        Array.from({ length: 300 }, (_, i) => `r1 ${i}`),
      );
    },
  },
  {
    name: 'close finishes what was accepted, then nothing goes',
    async run(log) {
      await open(log, R1);
      const accepted = append(log, R1, notes(R1, 1));
      await log.close();
      assert.equal((await accepted).last, 2);
      await refuses(append(log, R1, notes(R1, 1)), 'log_closed');
      await refuses(open(log, run('r2')), 'log_closed');
      await refuses(log.read('r1', 0), 'log_closed');
      await refuses(log.head('r1'), 'log_closed');
      await refuses(
        log.follow('r1', () => {}),
        'log_closed',
      );
      await refuses(log.runs.get('r1'), 'log_closed');
      await refuses(log.runs.list({ limit: 1 }), 'log_closed');
      await refuses(log.leases.takeExpired(), 'log_closed');
      await refuses(log.retention.trim('r1', 1), 'log_closed');
      await refuses(log.retention.erase('r1'), 'log_closed');
      await log.close();
    },
  },
];
