/** How streams are carried: history, live, quiet times, slow readers and readers that leave. */
import assert from 'node:assert/strict';
import type { StreamCase } from '../stream.cases.ts';
import { ask, END, note, openRun, type Reading, viewersAre, watch } from './kit.ts';

const MEBIBYTE = 1024 * 1024;

export const carryCases: readonly StreamCase[] = [
  {
    name: 'P6: history, then live, then bye: every event once, in order, and the end',
    async run(host) {
      const { path, append } = await openRun(host);
      // Of two and three bytes a character, across every border of pieces and packets.
      const long = 'é€'.repeat(20_000);
      await append(note(long));
      const reading = await watch(host, path);
      await reading.readTo('stream.caught-up');
      assert.deepEqual(reading.seqs, [1, 2]);
      const ended = reading.readToEnd();
      for (let i = 0; i < 50; i++) await append(note(i), note(long.slice(0, i * 200)));
      await append(END);
      await ended;
      assert.deepEqual(
        reading.seqs,
        Array.from({ length: 103 }, (_, i) => i + 1),
      );
      const values = reading.events.map(({ data }) => JSON.parse(data!).data.value);
      assert.deepEqual([values[1], values[2], values[101]], [long, 0, long.slice(0, 9800)]);
      const names = reading.frames.map(({ event }) => event);
      assert.equal(names.filter((name) => name === 'stream.caught-up').length, 1);
      assert.equal(names.indexOf('stream.bye'), names.length - 1);
      await viewersAre(host, 0);
    },
  },
  {
    name: 'P7: an event reaches a quiet stream at once',
    async run(host) {
      const { path, append } = await openRun(host);
      const reading = await watch(host, path);
      await reading.readTo('stream.caught-up');
      for (let i = 0; i < 5; i++) {
        const before = performance.now();
        await append(note(i));
        await reading.readUntil(({ data }) => data?.includes(`"value":${i}}`) === true, `event ${i}`);
        assert.ok(performance.now() - before < 1000);
      }
      await reading.cancel();
      await viewersAre(host, 0);
    },
  },
  {
    name: 'P7: several streams on one connection end with the last, and resume by any id of theirs',
    async run(host) {
      const runs = await Promise.all([1, 2, 3].map(() => openRun(host)));
      const path = `/v1/stream?${runs.map(({ runId }) => `run=${runId}`).join('&')}&coalesce=off`;
      const reading = await watch(host, path);
      for (const { append } of runs) await append(note('é€'.repeat(20_000)));
      for (const { append } of runs) await append(END);
      await reading.readToEnd();
      assert.equal(reading.frames.at(-1)?.event, 'stream.bye');
      const seqsOf = (reading: Reading, runId: string) =>
        reading.events.flatMap(({ data }) => {
          const event = JSON.parse(data!) as { runId: string; seq: number };
          return event.runId === runId ? event.seq : [];
        });
      for (let i = 0; i < reading.events.length; i++) {
        const cursor = reading.events[i]!.id!;
        if (i === reading.events.length - 1) {
          const over = await ask(host, path, { headers: { 'last-event-id': cursor } });
          assert.deepEqual([over.status, await over.text()], [204, '']);
          break;
        }
        const again = await watch(host, path, cursor);
        await again.readToEnd();
        assert.equal(again.events.length, reading.events.length - i - 1);
        for (const { runId } of runs) {
          const had = seqsOf(reading, runId).slice(0, 3 - seqsOf(again, runId).length);
          assert.deepEqual([...had, ...seqsOf(again, runId)], [1, 2, 3]);
        }
      }
      await viewersAre(host, 0);
    },
  },
  {
    name: 'P6: heartbeats name the tail while nothing happens',
    async run(host) {
      const { path, epoch } = await openRun(host);
      const reading = await watch(host, path);
      for (let i = 0; i < 2; i++) {
        const beats = () => reading.frames.filter(({ comment }) => comment === `heartbeat ${epoch}.1`).length;
        await reading.readUntil(() => beats() > i, 'a heartbeat');
      }
      await reading.cancel();
      await viewersAre(host, 0);
    },
  },
  {
    name: 'a client that goes away releases its viewer, wherever it stands',
    async run(host) {
      const { path, append } = await openRun(host);
      await append(...Array.from({ length: 4 }, () => note('x'.repeat(200_000))));
      const open: Reading[] = [];
      for (let i = 0; i < 6; i++) {
        const reading = await watch(host, path);
        open.push(reading);
        if (i % 3 === 1) await reading.readTo('run.started');
        if (i % 3 === 2) await reading.readTo('stream.caught-up');
      }
      await Promise.all(open.map((reading) => reading.cancel()));
      await viewersAre(host, 0);
    },
  },
  {
    name: 'P7: a reader that takes nothing is given a bounded part, is cut, and resumes by its cursor',
    needs: ['backpressure'],
    async run(host) {
      const { path, append } = await openRun(host);
      const batch = Array.from({ length: 4 }, () => note('x'.repeat(200_000)));
      for (let i = 0; i < 15; i++) await append(...batch);
      await append(END);

      const stuck = await watch(host, path);
      await viewersAre(host, 1);
      await viewersAre(host, 0);
      // A body that merely ends would be taken for a whole one.
      await assert.rejects(stuck.readToEnd(), 'the stream ended as if it were whole');
      // What the kernel takes on both sides of the connection, at most (4.2 MB was the most measured); the run has 12.
      assert.ok(stuck.bytes < 8 * MEBIBYTE, `${stuck.bytes} bytes were handed over`);
      assert.ok(!stuck.frames.some(({ event }) => event === 'stream.bye'));

      const cursor = stuck.events.at(-1)?.id;
      const again = await watch(host, path, cursor);
      await again.readToEnd();
      assert.deepEqual(
        [...stuck.seqs, ...again.seqs],
        Array.from({ length: 62 }, (_, i) => i + 1),
      );
    },
  },
];
