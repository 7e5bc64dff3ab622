import assert from 'node:assert/strict';
import type { Ack } from '../../log/index.ts';
import { writeEventFrame } from '../../protocol/index.ts';
import type { LogCase } from '../log.cases.ts';
import { append, close, encode, notes, open, opening, readAll, refuses, run, there, values } from './kit.ts';

const R1 = run('r1');

export const appendCases: readonly LogCase[] = [
  {
    name: 'P1: events are numbered 1, 2, 3 … in the order of their batch, across batches',
    async run(log) {
      const first = await open(log, R1);
      assert.deepEqual([first.first, first.last], [1, 1]);
      const second = await append(log, R1, notes(R1, 3));
      assert.deepEqual([second.epoch, second.first, second.last], [first.epoch, 2, 4]);
      assert.equal(second.duplicate, undefined);
      const events = await readAll(log, 'r1');
      assert.deepEqual(values(events), ['r1 0', 'r1 1', 'r1 2']);
    },
  },
  {
    name: 'P5: what is read is byte for byte the frame of what was appended',
    async run(log) {
      const agent = { id: 'a-1', name: 'Ägent', path: 'root/a-1' };
      const batch = [
        encode(R1, 'message.delta', { messageId: 'm', delta: 'líne\r\n\u2028 "quoted" \\ 漢字 🙂 \u0000' }, agent),
        encode(R1, 'custom', { name: 'x', value: { __proto__: null, data: 'id: 9\n\n' } }),
        encode(R1, 'some.unknown-type', { anything: [1, null, true] }),
      ];
      await open(log, R1);
      const { epoch } = await append(log, R1, batch);
      const { blocks } = await log.read('r1', 1);
      const frames = Buffer.concat(blocks.map((block) => block.bytes)).toString();
      assert.equal(frames, batch.map((it, i) => writeEventFrame(epoch, i + 2, it.type, it.rest)).join(''));
    },
  },
  {
    name: 'a block knows of each event its type, run, agent, entity and delta without parsing it',
    async run(log) {
      const agent = { id: 'a-1', name: 'A', path: 'a-1' };
      const delta = encode(R1, 'message.delta', { messageId: 'm', delta: 'é"\n' }, agent);
      await open(log, R1);
      await append(log, R1, [delta, ...notes(R1, 1)]);
      const { blocks } = await log.read('r1', 1);
      const block = there(blocks[0]);
      const { start, end, ...entry } = block.entry(2);
      const { type, runId, entity, deltaBytes } = delta;
      assert.deepEqual(entry, { type, runId, agent, entity, deltaBytes });
      const escaped = Buffer.from(block.bytes.subarray(end - 5 - there(deltaBytes), end - 5)).toString();
      assert.equal(escaped, 'é\\"\\n');
      assert.ok(start < end);
    },
  },
  {
    name: 'appends are stored in the order of their calls, also when nobody waits for them',
    async run(log) {
      const other = run('r2', 'r1');
      const acks: Promise<Ack>[] = [open(log, R1), open(log, other)];
      for (let i = 0; i < 100; i++)
        acks.push(append(log, i % 3 ? R1 : other, notes(i % 3 ? R1 : other, 1 + (i % 4), i)));
      let last = 0;
      for (const ack of await Promise.all(acks)) {
        assert.equal(ack.first, last + 1);
        last = ack.last;
      }
      assert.equal((await readAll(log, 'r1')).length, last);
    },
  },
  {
    name: 'P4: threads count apart, each under an epoch of its own that stays',
    async run(log) {
      const runs = ['a', 'b', 'c'].map((id) => run(id));
      const opened = await Promise.all(runs.map((it) => open(log, it)));
      assert.equal(new Set(opened.map(({ epoch }) => epoch)).size, 3);
      for (const [index, it] of runs.entries()) {
        const { epoch, first } = await append(log, it, notes(it, 2));
        assert.deepEqual([epoch, first], [opened[index]?.epoch, 2]);
        assert.deepEqual(await log.head(it.threadId), { epoch, first: 1, last: 3, epochs: [{ id: epoch, after: 0 }] });
      }
    },
  },
  {
    name: 'a refused batch leaves nothing behind',
    async run(log) {
      const bad = [...notes(R1, 2), encode(R1, 'run.completed'), ...notes(R1, 1)];
      await refuses(log.append('r1', bad, { runId: 'r1', opens: opening() }), 'invalid_request');
      assert.equal(await log.head('r1'), undefined);
      assert.equal(await log.runs.get('r1'), undefined);
      await open(log, R1);
      const before = [await log.head('r1'), await log.runs.get('r1')];
      for (const batch of [bad, [], [...notes(R1, 1), ...notes(run('r2', 'r1'), 1)]]) {
        await refuses(log.append('r1', batch, { runId: 'r1' }), 'invalid_request');
      }
      await refuses(log.append('r1', notes(R1, 1), { runId: 'r1', closes: true }), 'invalid_request');
      await refuses(log.append('r1', [encode(R1, 'run.failed')], { runId: 'r1' }), 'invalid_request');
      assert.deepEqual([await log.head('r1'), await log.runs.get('r1')], before);
    },
  },
  {
    name: 'P9: a batch of 1,000 events and one of 1 MiB are stored whole',
    async run(log) {
      await open(log, R1);
      await append(log, R1, notes(R1, 1000));
      const large = Array.from({ length: 5 }, (_, i) =>
        encode(R1, 'custom', { name: 'large', value: `${i}${'ü'.repeat(100_000)}` }),
      );
      const { last } = await append(log, R1, large);
      assert.equal(last, 1006);
      const read = values(await readAll(log, 'r1', 1001));
      assert.deepEqual(
        read.map((it) => [String(it)[0], String(it).length]),
        large.map((_, i) => [String(i), 100_001]),
      );
    },
  },
  {
    name: 'P1: several runs of one thread interleave, and one ends without the others',
    async run(log) {
      const [a, b] = [run('a', 't'), run('b', 't')];
      await Promise.all([open(log, a), open(log, b)]);
      await append(log, a, notes(a, 1));
      await append(log, b, notes(b, 1));
      await close(log, a);
      await append(log, b, notes(b, 1, 1));
      const events = await readAll(log, 't');
      assert.deepEqual(values(events), ['a 0', 'b 0', 'b 1']);
      assert.deepEqual(
        events.map(({ runId }) => runId),
        ['a', 'b', 'a', 'b', 'a', 'b'],
      );
      await refuses(append(log, a, notes(a, 1)), 'run_closed');
    },
  },
];
