import assert from 'node:assert/strict';
import { encodeEvent } from '../../protocol/index.ts';
import type { LogCase } from '../log.cases.ts';
import { AT, append, close, notes, open, readAll, refuses, run } from './kit.ts';

const R1 = run('r1');

export const leaseCases: readonly LogCase[] = [
  {
    name: 'P10: a leased run is written under its fence; another fence is lease_fenced, none is none of its business',
    async run(log) {
      await open(log, R1, { leased: true });
      assert.equal((await log.runs.get('r1'))?.fence, 1);
      await append(log, R1, notes(R1, 1), { fence: 1 });
      for (const fence of [0, 2]) await refuses(append(log, R1, notes(R1, 1), { fence }), 'lease_fenced');
      await append(log, R1, notes(R1, 1));
      assert.equal((await log.head('r1'))?.last, 3);
    },
  },
  {
    name: 'P10: a lease is renewed by who holds it, as long as the run is open',
    async run(log) {
      await open(log, R1, { leased: true });
      await log.leases.renew('r1', 1);
      await refuses(log.leases.renew('r1', 2), 'lease_fenced');
      await refuses(log.leases.renew('r2', 1), 'run_not_found');
      await close(log, R1, { fence: 1 });
      await refuses(log.leases.renew('r1', 1), 'run_closed');
    },
  },
  {
    name: 'P10: nobody takes over a lease whose process is here',
    async run(log) {
      await open(log, R1, { leased: true });
      assert.deepEqual(await log.leases.takeExpired(), []);
    },
  },
  {
    name: 'P10: the leases of a process that is gone are handed out once, under a new fence that ends the run',
    durable: true,
    async run(first, { crash, reopen }) {
      let log = first;
      await open(log, R1, { leased: true });
      await open(log, run('r2', 'r1'), { leased: true });
      await open(log, run('r3'));
      await close(log, run('r2', 'r1'), { fence: 1 });
      log = await crash();
      const [taken, none] = await Promise.all([log.leases.takeExpired(), log.leases.takeExpired()]);
      assert.deepEqual(
        [...taken, ...none].map(({ runId, fence, status }) => [runId, fence, status]),
        [['r1', 2, 'running']],
      );
      assert.deepEqual(await log.leases.takeExpired(), []);
      await refuses(append(log, R1, notes(R1, 1), { fence: 1 }), 'lease_fenced');
      await refuses(log.leases.renew('r1', 1), 'lease_fenced');
      // Whoever took it over may be lost as well before it ended the run.
      log = await reopen();
      const again = await log.leases.takeExpired();
      assert.deepEqual(
        again.map(({ runId }) => runId),
        ['r1'],
      );
      assert.ok(again[0]!.fence > 1);
      await close(log, R1, { fence: again[0]!.fence });
      log = await reopen();
      assert.deepEqual(await log.leases.takeExpired(), []);
      assert.equal((await readAll(log, 'r1')).at(-1)?.type, 'run.completed');
    },
  },
  {
    name: 'P10: a remote lease runs out when nothing was appended for its time, and is handed out once per lease',
    async run(log) {
      const at = Date.parse(AT);
      await open(log, R1, { leaseMs: 5_000 });
      await open(log, run('r2'));
      assert.equal((await log.runs.get('r1'))?.renewedAt, AT);
      assert.deepEqual(await log.leases.takeExpired(at + 4_999), []);
      const later = encodeEvent({ type: 'custom', data: { name: 'n', value: 1 } }, { ...R1, time: iso(at + 3_000) });
      await append(log, R1, [later]);
      assert.deepEqual(await log.leases.takeExpired(at + 7_999), []);
      const taken = await log.leases.takeExpired(at + 8_000);
      assert.deepEqual(
        taken.map(({ runId, fence }) => [runId, fence]),
        [['r1', 1]],
      );
      // Whoever took it may fail to end the run.
      assert.deepEqual(await log.leases.takeExpired(at + 12_999), []);
      const [again] = await log.leases.takeExpired(at + 13_000);
      assert.equal(again?.fence, 2);
      await refuses(close(log, R1, { fence: 1 }), 'lease_fenced');
      await close(log, R1, { fence: 2 });
      assert.deepEqual(await log.leases.takeExpired(at + 1e9), []);
    },
  },
  {
    name: 'P10: a remote lease is counted from the last append, across restarts',
    durable: true,
    async run(first, { crash, reopen }) {
      const at = Date.parse(AT);
      let log = first;
      await open(log, R1, { leaseMs: 60_000 });
      await open(log, run('r2'), { leaseMs: 60_000 });
      await close(log, run('r2'));
      for (const restart of [crash, reopen]) {
        log = await restart();
        assert.deepEqual(await log.leases.takeExpired(at + 59_999), []);
      }
      const taken = await log.leases.takeExpired(at + 60_000);
      assert.deepEqual(
        taken.map(({ runId }) => runId),
        ['r1'],
      );
      await close(log, R1, { fence: taken[0]!.fence });
    },
  },
];

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
