import assert from 'node:assert/strict';
import type { Log, RunQuery } from '../../log/index.ts';
import type { LogCase } from '../log.cases.ts';
import { AT, append, close, encode, notes, open, opening, readAll, refuses, run } from './kit.ts';

const R1 = run('r1');

const ids = async (log: Log, query: Partial<RunQuery> = {}): Promise<string[]> =>
  (await log.runs.list({ limit: 100, ...query })).runs.map(({ runId }) => runId);

const minute = (n: number): string => `2026-11-20T18:${String(n).padStart(2, '0')}:00.000Z`;

export const runCases: readonly LogCase[] = [
  {
    name: 'a run is what its opening and its run.* events say',
    async run(log) {
      assert.equal(await log.runs.get('r1'), undefined);
      const about = opening({ owner: 'ann', parentRunId: 'r0', agent: 'triage' });
      await log.append('t', [encode(run('r1', 't'), 'run.queued', { agent: 'triage' })], { runId: 'r1', opens: about });
      const queued = { ...about, runId: 'r1', threadId: 't', status: 'queued', first: 1, events: 1, fence: 0 };
      assert.deepEqual(await log.runs.get('r1'), queued);
      const of = run('r1', 't');
      const states = ['run.started', 'run.paused', 'run.resumed'].map((type) => encode(of, type, { agent: 'triage' }));
      for (const [index, status] of ['running', 'paused', 'running'].entries()) {
        await append(log, of, [states[index]!, ...notes(of, 1)]);
        assert.deepEqual(await log.runs.get('r1'), { ...queued, status, events: 3 + 2 * index });
      }
      await append(log, of, [...notes(of, 1), encode(of, 'run.failed', { error: { code: 'x', message: '' } })]);
      assert.deepEqual(await log.runs.get('r1'), { ...queued, status: 'failed', events: 9, last: 9, endedAt: AT });
      // Who owns a run is nobody's business who only sees its events.
      assert.ok(!JSON.stringify(await readAll(log, 't')).includes('ann'));
    },
  },
  {
    name: 'P10: a run that was cancelled while it waited does not start any more, whatever was cancelled or asked before',
    async run(log) {
      const start = (of: typeof R1) => append(log, of, [encode(of, 'run.started', { agent: 'x' })], { starts: true });
      const wait = (of: typeof R1) =>
        log.append(of.threadId, [encode(of, 'run.queued', { agent: 'x' })], { runId: of.runId, opens: opening() });
      const ask = (of: typeof R1, command: string) =>
        append(log, of, [encode(of, 'control.requested', { command, commandId: command })]);
      await wait(R1);
      await ask(R1, 'cancel');
      await refuses(start(R1), 'command_refused');
      await append(log, R1, [encode(R1, 'run.cancelled', { commandId: 'cancel' })]);
      assert.equal((await readAll(log, 'r1')).length, 3);
      const other = run('r2');
      await wait(other);
      await ask(other, 'pause');
      await start(other);
      assert.equal((await log.runs.get('r2'))?.status, 'running');
    },
  },
  {
    name: 'P8: a run carries the commands that it has not applied, also in what was read back',
    durable: true,
    async run(first, { crash, reopen }) {
      let log = first;
      const command = (commandId: string, kind: string) =>
        encode(R1, 'control.requested', { command: kind, commandId, reason: 'because' });
      const pending = async () => (await log.runs.get('r1'))?.commands;
      await open(log, R1);
      assert.equal(await pending(), undefined);
      await append(log, R1, [command('a', 'pause'), command('b', 'pause')]);
      await append(log, R1, [command('c', 'cancel')]);
      log = await crash();
      await append(log, R1, [encode(R1, 'run.paused', { commandId: 'a' }), command('a', 'pause')]);
      log = await reopen();
      assert.deepEqual(await pending(), [
        { commandId: 'b', command: 'pause', seq: 3 },
        { commandId: 'c', command: 'cancel', seq: 4 },
        { commandId: 'a', command: 'pause', seq: 6 },
      ]);
      await append(log, R1, [encode(R1, 'run.paused')]);
      assert.deepEqual(await pending(), [{ commandId: 'c', command: 'cancel', seq: 4 }]);
      await append(
        log,
        R1,
        Array.from({ length: 20 }, (_, i) => command(`d${i}`, 'resume')),
      );
      // The newest, and a cancel, however old.
      assert.deepEqual(
        (await pending())?.map(({ commandId }) => commandId),
        ['c', ...Array.from({ length: 15 }, (_, i) => `d${i + 5}`)],
      );
      await close(log, R1);
      assert.equal(await pending(), undefined);
    },
  },
  {
    name: 'P8: a run carries the questions that nobody has answered, also in what was read back',
    durable: true,
    async run(first, { crash, reopen }) {
      let log = first;
      const expiresAt = '2026-11-20T19:00:00.000Z';
      const question = (approvalId: string, more: object = {}) =>
        encode(R1, 'approval.requested', { approvalId, prompt: 'May I?', ...more });
      const asked = async () => (await log.runs.get('r1'))?.approvals;
      await open(log, R1);
      assert.equal(await asked(), undefined);
      await append(log, R1, [question('a', { expiresAt }), question('b')]);
      await append(log, R1, [question('a'), question('c')]);
      log = await crash();
      await append(log, R1, [encode(R1, 'approval.resolved', { approvalId: 'b', decision: 'approve' })]);
      log = await reopen();
      const a = { approvalId: 'a', seq: 2, expiresAt };
      assert.deepEqual(await asked(), [a, { approvalId: 'c', seq: 5 }]);
      await append(log, R1, [encode(R1, 'approval.expired', { approvalId: 'c' })]);
      assert.deepEqual(await asked(), [a]);
      await append(
        log,
        R1,
        Array.from({ length: 40 }, (_, i) => question(`d${i}`)),
      );
      assert.deepEqual(
        (await asked())?.map(({ approvalId }) => approvalId),
        Array.from({ length: 32 }, (_, i) => `d${i + 8}`),
      );
      await close(log, R1);
      assert.equal(await asked(), undefined);
    },
  },
  {
    name: 'a run that opens and ends in one batch has both ends',
    async run(log) {
      await open(log, run('r0', 't'));
      const of = run('r1', 't');
      const batch = [encode(of, 'run.started', { agent: 'x' }), encode(of, 'run.cancelled')];
      await log.append('t', batch, { runId: 'r1', opens: opening(), closes: true });
      const record = await log.runs.get('r1');
      assert.deepEqual([record?.status, record?.first, record?.last, record?.events], ['cancelled', 2, 3, 2]);
    },
  },
  {
    name: 'only an opened run takes events, and only in its thread',
    async run(log) {
      await refuses(append(log, R1, notes(R1, 1)), 'run_not_found');
      assert.equal(await log.head('r1'), undefined);
      await open(log, R1);
      await refuses(append(log, run('r1', 'other'), notes(run('r1', 'other'), 1)), 'run_not_found');
      await refuses(append(log, run('r2', 'r1'), notes(run('r2', 'r1'), 1)), 'run_not_found');
      assert.equal(await log.head('other'), undefined);
    },
  },
  {
    name: 'a run id opens one run, in whatever thread and whoever comes at once',
    async run(log) {
      const opens = ['a', 'b', 'a', 'c'].map((threadId) => open(log, run('r1', threadId)));
      const outcomes = await Promise.allSettled(opens);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'rejected'],
      );
      for (const lost of opens.slice(1)) await refuses(lost, 'run_exists');
      assert.equal((await log.runs.get('r1'))?.threadId, 'a');
      assert.equal(await log.head('b'), undefined);
      await close(log, run('r1', 'a'));
      await refuses(open(log, run('r1', 'a')), 'run_exists');
    },
  },
  {
    name: 'P10: an ended run takes nothing more, and ends once whoever comes at once',
    async run(log) {
      await open(log, R1);
      const ends = Array.from({ length: 10 }, () => close(log, R1));
      const late = append(log, R1, notes(R1, 1));
      const [first, ...others] = await Promise.allSettled([...ends, late]);
      assert.equal(first?.status, 'fulfilled');
      assert.ok(others.every(({ status }) => status === 'rejected'));
      for (const lost of ends.slice(1)) await refuses(lost, 'run_closed', { status: 'completed', last: 2 });
      await refuses(late, 'run_closed');
      assert.equal((await readAll(log, 'r1')).length, 2);
    },
  },
  {
    name: 'a once key is won by one, and the others learn by which event',
    async run(log) {
      const other = run('r2', 'r1');
      await Promise.all([open(log, R1), open(log, other)]);
      const tries = Array.from({ length: 20 }, (_, i) => {
        const of = i % 2 ? R1 : other;
        return append(log, of, notes(of, 2), { once: 'approval:a1' });
      });
      const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const lost of tries.slice(1)) await refuses(lost, 'already_decided', { seq: 4 });
      await append(log, R1, notes(R1, 1), { once: 'approval:a2' });
      const elsewhere = run('r3');
      await open(log, elsewhere);
      await append(log, elsewhere, notes(elsewhere, 1), { once: 'approval:a1' });
      await close(log, R1);
      await refuses(append(log, R1, notes(R1, 1), { once: 'approval:a1' }), 'already_decided', { seq: 4 });
    },
  },
  {
    name: 'P8: runs are listed newest first, by creation and then by id',
    async run(log) {
      assert.deepEqual(await log.runs.list({ limit: 10 }), { runs: [] });
      for (const [id, at] of [
        ['b', 2],
        ['z', 1],
        ['a', 2],
        ['m', 3],
      ] as const) {
        await open(log, run(id), { createdAt: minute(at) });
      }
      assert.deepEqual(await ids(log), ['m', 'b', 'a', 'z']);
      assert.deepEqual((await log.runs.list({ limit: 1 })).runs, [await log.runs.get('m')]);
    },
  },
  {
    name: 'P8: pages of runs follow on each other, whatever is opened meanwhile',
    async run(log) {
      for (let i = 0; i < 23; i++) await open(log, run(`r${i}`, `t${i % 3}`), { createdAt: minute(i >> 1) });
      const expected = await ids(log);
      assert.equal(expected.length, 23);
      for (const limit of [1, 5, 22, 23]) {
        const seen: string[] = [];
        let before: string | undefined;
        do {
          const page = await log.runs.list({ limit, ...(before !== undefined && { before }) });
          assert.ok(page.runs.length > 0, 'a page that was announced has runs');
          seen.push(...page.runs.map(({ runId }) => runId));
          before = page.next;
          if (limit === 5 && before) await open(log, run(`new-${seen.length}`), { createdAt: minute(50) });
        } while (before !== undefined);
        assert.deepEqual(
          seen.filter((id) => !id.startsWith('new-')),
          expected,
        );
      }
    },
  },
  {
    name: 'P8: runs are filtered by owner, tenant, status, agent, thread and time, both ends exclusive, page by page',
    async run(log) {
      for (let i = 0; i < 12; i++) {
        const of = run(`r${i}`, `t${i % 2}`);
        await open(log, of, { agent: i % 3 ? 'x' : 'y', createdAt: minute(i), ...(i % 4 === 0 && { owner: 'ann' }) });
        if (i > 8) await close(log, of);
      }
      assert.deepEqual(await ids(log, { owner: 'ann' }), ['r8', 'r4', 'r0']);
      assert.deepEqual(await ids(log, { owner: 'bob' }), []);
      await open(log, run('r12', 't0'), { createdAt: '2026-11-20T17:00:00.000Z', owner: 'ann', tenant: 'acme' });
      assert.deepEqual(await ids(log, { owner: 'ann' }), ['r8', 'r4', 'r0', 'r12']);
      assert.deepEqual(await ids(log, { owner: 'ann', tenant: 'acme' }), ['r12']);
      assert.deepEqual(await ids(log, { owner: 'ann', tenant: '' }), ['r8', 'r4', 'r0']);
      assert.deepEqual(await ids(log, { tenant: 'evil' }), []);
      assert.deepEqual(await ids(log, { status: 'completed' }), ['r11', 'r10', 'r9']);
      assert.deepEqual(await ids(log, { status: ['completed', 'running'], until: minute(59) }), await ids(log));
      assert.deepEqual(await ids(log, { status: ['failed', 'completed', 'failed'] }), ['r11', 'r10', 'r9']);
      assert.deepEqual(await ids(log, { agent: 'y', status: ['running', 'paused'] }), ['r6', 'r3', 'r0']);
      const page = await log.runs.list({ status: ['running', 'completed'], limit: 4 });
      assert.deepEqual(
        page.runs.map(({ runId }) => runId),
        ['r11', 'r10', 'r9', 'r8'],
      );
      const after = await log.runs.list({ status: ['running', 'completed'], limit: 4, before: page.next! });
      assert.deepEqual(
        after.runs.map(({ runId }) => runId),
        ['r7', 'r6', 'r5', 'r4'],
      );
      assert.deepEqual(await ids(log, { agent: 'y' }), ['r9', 'r6', 'r3', 'r0']);
      assert.deepEqual(await ids(log, { threadId: 't1', status: 'running' }), ['r7', 'r5', 'r3', 'r1']);
      assert.deepEqual(await ids(log, { since: minute(2), until: minute(5) }), ['r4', 'r3']);
      const { runs, next } = await log.runs.list({ agent: 'y', limit: 3 });
      assert.deepEqual(
        runs.map(({ runId }) => runId),
        ['r9', 'r6', 'r3'],
      );
      assert.deepEqual(await ids(log, { agent: 'y', before: next! }), ['r0']);
      await close(log, run('r0', 't0'));
      assert.deepEqual(await ids(log, { status: 'completed', owner: 'ann' }), ['r0']);
    },
  },
  {
    name: 'a place in the list that no page gave out is invalid_cursor',
    async run(log) {
      await open(log, R1);
      for (const before of ['', 'x', '../..', '%00', 'é', 'a'.repeat(5000)]) {
        await refuses(log.runs.list({ limit: 1, before }), 'invalid_cursor');
      }
    },
  },
];
