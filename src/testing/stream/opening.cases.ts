/** How streams are answered: status, headers, and where they begin. */
import assert from 'node:assert/strict';
import type { StreamCase } from '../stream.cases.ts';
import { ask, END, note, openRun, viewersAre, watch } from './kit.ts';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  'content-length': null,
  'content-encoding': null,
};

const headersOf = (answer: Response) =>
  Object.fromEntries(Object.keys(HEADERS).map((name) => [name, answer.headers.get(name)]));

export const openingCases: readonly StreamCase[] = [
  {
    name: 'P5: answers with the headers of a stream that no proxy or cache may touch',
    async run(host) {
      const { path, append } = await openRun(host);
      await append(END);
      const answer = await ask(host, path);
      assert.deepEqual([answer.status, headersOf(answer)], [200, HEADERS]);
      await answer.text();
    },
  },
  {
    name: 'P6: begins with connected, retry and hello, at once',
    async run(host) {
      const { path, runId, epoch } = await openRun(host);
      const reading = await watch(host, path);
      await reading.readTo('stream.caught-up');
      const [connected, retry, hello] = reading.frames;
      assert.deepEqual(connected, { comment: 'connected' });
      assert.ok(Number(retry?.retry) >= 1000 && Number(retry?.retry) <= 4000);
      const { heartbeatMs: _, ...rest } = JSON.parse(hello!.data!);
      assert.deepEqual(rest, { threadId: runId, runId, epoch, earliest: 1, latest: 1 });
      await reading.cancel();
      await viewersAre(host, 0);
    },
  },
  {
    name: 'P7: resumes by Last-Event-ID from every cursor, and answers 204 to the last',
    async run(host) {
      const { path, epoch, append } = await openRun(host);
      await append(note('é'), note(2), note(3), END);
      for (let after = 0; after < 5; after++) {
        const reading = await watch(host, path, `${epoch}.${after}`);
        await reading.readToEnd();
        assert.deepEqual(reading.seqs, [1, 2, 3, 4, 5].slice(after));
        assert.equal(reading.frames.at(-1)?.event, 'stream.bye');
      }
      const over = await ask(host, path, { headers: { 'last-event-id': `${epoch}.5` } });
      assert.deepEqual([over.status, await over.text()], [204, '']);
    },
  },
  {
    name: 'P7: tells a cursor that it cannot follow in a reset, inside a 200',
    async run(host) {
      const { path, epoch, append } = await openRun(host);
      await append(END);
      const reasons = { garbage: 'malformed', [`${epoch}.3`]: 'ahead_of_tail', 'other.1': 'unknown_epoch' };
      for (const [cursor, reason] of Object.entries(reasons)) {
        const reading = await watch(host, path, cursor);
        await reading.readToEnd();
        const names = reading.frames.map(({ event }) => event);
        assert.equal(names[names.indexOf('stream.hello') + 1], 'stream.reset');
        const reset = reading.frames.find(({ event }) => event === 'stream.reset');
        assert.equal(JSON.parse(reset!.data!).reason, reason);
        assert.equal(names.at(-1), 'stream.bye');
      }
    },
  },
  {
    name: 'P7: a run that does not exist is 404, and a wrong parameter 400, before a stream opens',
    async run(host) {
      for (const [path, status, code] of [
        ['/v1/runs/none/stream', 404, 'run_not_found'],
        ['/v1/threads/none/stream', 404, 'thread_not_found'],
        ['/v1/runs/none/stream?color=blue', 400, 'invalid_request'],
        ['/v1/nothing', 404, 'not_found'],
      ] as const) {
        const answer = await ask(host, path);
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
        assert.deepEqual([answer.status, ((await answer.json()) as { code: string }).code], [status, code]);
      }
    },
  },
  {
    name: 'P8: HEAD says what GET would, and opens nothing',
    async run(host) {
      const { path } = await openRun(host);
      const answer = await ask(host, path, { method: 'HEAD' });
      // Bun and Deno say that what they sent is 0 bytes long.
      const headers = { ...headersOf(answer), 'content-length': null };
      assert.deepEqual([answer.status, headers, await answer.text()], [200, HEADERS, '']);
      assert.equal((await ask(host, '/v1/runs/none/stream', { method: 'HEAD' })).status, 404);
      assert.equal(await host.viewers(), 0);
    },
  },
];
