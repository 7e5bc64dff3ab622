import type { IncomingMessage, ServerResponse } from 'node:http';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  byeFrame,
  caughtUpFrame,
  emptySnapshot,
  mergedFrameHead,
  problemOf,
  progressFrame,
  resetFrame,
  snapshotFrame,
  TelltaleError,
  writeFrame,
} from '../protocol/index.ts';
import { type FollowOptions, follow } from './follow.ts';
import { type Answer, event, hello, type Scripted, STREAM, serve as serveAnswers } from './scripted.fixture.ts';
import type { Followed } from './source.ts';

const scripted: Scripted[] = [];
afterEach(() => Promise.all(scripted.splice(0).map((it) => it.close())));

/** A server whose every connection is answered by `answer`; connections count from 1. */
async function serve(answer: Answer): Promise<{ url: string; requests: IncomingMessage[] }> {
  const it = await serveAnswers(answer);
  scripted.push(it);
  return { url: `${it.url}/v1/runs/r1/stream`, requests: it.requests };
}

const open = (response: ServerResponse): ServerResponse => response.writeHead(200, STREAM);

async function all(url: string, options: FollowOptions = {}): Promise<Followed[]> {
  const followed: Followed[] = [];
  for await (const it of follow(url, options)) followed.push(it);
  return followed;
}

const seqs = (all: readonly Followed[]): number[] => all.flatMap((it) => (it.kind === 'event' ? [it.event.seq] : []));
const kinds = (all: readonly Followed[]): string[] => all.map((it) => it.kind);

describe('follow', () => {
  test('gives every event once and in order, wherever the connections are cut (P7)', async () => {
    const script = fc.record({
      events: fc.integer({ min: 1, max: 30 }),
      // Bytes after which each connection is cut; the one after the last goes through.
      cuts: fc.array(fc.integer({ min: 1, max: 2_500 }), { maxLength: 6 }),
      chunk: fc.integer({ min: 1, max: 200 }),
      // How many events before the cursor the server repeats: a careless proxy, an older server.
      repeats: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ events, cuts, chunk, repeats }) => {
        const { url, requests } = await serve(async (request, response, connection) => {
          const cursor = Number(/^e1\.(\d+)$/.exec(request.headers['last-event-id'] as string)?.[1] ?? 0);
          if (cursor === events) return response.writeHead(204).end();
          open(response);
          const numbers = Array.from({ length: events }, (_, i) => i + 1).filter((it) => it > cursor - repeats);
          const text = hello() + numbers.map((it) => event(it)).join('');
          const bytes = Buffer.from(text + caughtUpFrame(events) + byeFrame());
          const end = cuts[connection - 1] ?? bytes.length;
          for (let at = 0; at < Math.min(end, bytes.length); at += chunk) {
            const piece = bytes.subarray(at, Math.min(at + chunk, end, bytes.length));
            await new Promise((resolve) => response.write(piece, resolve));
          }
          if (end < bytes.length) response.destroy();
          else response.end();
        });
        expect(seqs(await all(url))).toEqual(Array.from({ length: events }, (_, i) => i + 1));
        expect(requests.length).toBeLessThanOrEqual(cuts.length + 1);
      }),
      { numRuns: 60 },
    );
  });

  test('ends with run_deleted where the stream says so', async () => {
    const { url, requests } = await serve((_, response) => {
      open(response).end(hello() + event(1) + byeFrame('deleted'));
    });
    await expect(all(url)).rejects.toMatchObject({ code: 'run_deleted' });
    expect(requests).toHaveLength(1);
  });

  test('begins after a given cursor, and tells what happens on the way', async () => {
    const { url, requests } = await serve((_, response) => {
      open(response).end(hello() + event(5) + caughtUpFrame(5) + event(6, 'run.completed') + byeFrame());
    });
    const followed = await all(url, { after: 'e1.4' });
    expect(kinds(followed)).toEqual(['connected', 'event', 'caught-up', 'event']);
    expect(followed[1]).toMatchObject({ cursor: 'e1.5', event: { seq: 5, data: { é: 'üüüüü' } } });
    expect(requests.map((it) => it.headers['last-event-id'])).toEqual(['e1.4']);
  });

  test('takes a jump that the view declares, and refuses a hole (P5)', async () => {
    const { url, requests } = await serve((_, response, connection) => {
      open(response).end(hello() + event(2) + event(7, 'custom', 2) + (connection === 1 ? '' : event(9)));
    });
    const received: number[] = [];
    const reading = (async () => {
      for await (const it of follow(url)) if (it.kind === 'event') received.push(it.event.seq);
    })();
    const error = { code: 'stream_broken', particulars: { known: 7, prev: 8, seq: 9 } };
    await expect(reading).rejects.toMatchObject(error);
    expect(received).toEqual([2, 7]);
    // The first was cut; then it asked again after 7, and was given the same hole, as often as it puts up with.
    expect(requests.map((it) => it.headers['last-event-id'])).toEqual([undefined, ...Array(6).fill('e1.7')]);
  });

  test('a hole that is not there when it asks again does no harm (P5)', async () => {
    const { url } = await serve((_, response, connection) => {
      if (connection === 1) open(response).end(hello() + event(1) + event(3));
      else open(response).end(hello() + event(2) + event(3) + byeFrame());
    });
    const followed = await all(url);
    expect(seqs(followed)).toEqual([1, 2, 3]);
    expect(followed.find((it) => it.kind === 'disconnected')?.error.code).toBe('stream_broken');
  });

  test('a progress frame moves the place, also for the next connection (P6)', async () => {
    const { url, requests } = await serve((_, response, connection) => {
      if (connection === 1) open(response).end(hello() + progressFrame('e1', 40));
      else open(response).end(hello() + event(41) + byeFrame());
    });
    expect(seqs(await all(url))).toEqual([41]);
    expect(requests[1]?.headers['last-event-id']).toBe('e1.40');
  });

  test('takes merged deltas, and refuses those of which it has some (P5)', async () => {
    const range = (seq: number, prev: number, first: number) =>
      mergedFrameHead('e1', 'message.delta', { seq, prev, first, count: 2 }) +
      '"epoch":"e1","runId":"r1","type":"message.delta","data":{"messageId":"m","delta":"ab"}}\n\n';
    const { url } = await serve((_, response) => {
      open(response).end(hello() + event(1) + range(5, 1, 3) + range(5, 1, 3) + range(6, 4, 5));
    });
    const received: number[] = [];
    const reading = (async () => {
      for await (const it of follow(url)) if (it.kind === 'event') received.push(it.event.seq);
    })();
    const error = { code: 'stream_broken', particulars: { known: 5, first: 5, seq: 6 } };
    await expect(reading).rejects.toMatchObject(error);
    expect(received).toEqual([1, 5]);
  });

  test('a snapshot is told, and the place is its cursor, also for the next connection (P7)', async () => {
    const snapshot = { ...emptySnapshot('r1'), seq: 7, epoch: 'e1' };
    const { url, requests } = await serve((_, response, connection) => {
      if (connection === 1) open(response).end(hello() + snapshotFrame('e1.9', snapshot));
      else open(response).end(hello() + event(10) + byeFrame());
    });
    const followed = await all(url);
    expect(followed[1]).toEqual({ kind: 'snapshot', snapshot });
    expect(requests[1]?.headers['last-event-id']).toBe('e1.9');
    expect(seqs(followed)).toEqual([10]);
  });

  test('a reset is told, and what follows is counted from there (P7)', async () => {
    const head = {
      epoch: 'e2',
      first: 1,
      last: 4,
      epochs: [
        { id: 'e1', after: 0 },
        { id: 'e2', after: 3 },
      ],
    };
    const { url } = await serve((_, response) => {
      open(response).end(hello() + resetFrame({ reason: 'diverged', shared: 3 }, 3, head) + event(4) + byeFrame());
    });
    const followed = await all(url, { after: 'e1.9' });
    expect(followed[1]).toEqual({
      kind: 'reset',
      reset: { reason: 'diverged', earliest: 1, latest: 4, shared: 3, after: 3 },
    });
    expect(seqs(followed)).toEqual([4]);
  });

  test('a refusal ends it with the words of the server', async () => {
    const problem = problemOf(new TelltaleError('run_not_found', 'There is no run r1.', { runId: 'r1' }));
    const { url, requests } = await serve((_, response) => {
      response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
    });
    const error = { code: 'run_not_found', message: 'There is no run r1.', particulars: { runId: 'r1' } };
    await expect(all(url)).rejects.toMatchObject(error);
    expect(requests).toHaveLength(1);
  });

  test.each([
    ['no event stream', 'text/html', '<h1>Log in</h1>'],
    ['data that is not JSON', 'text/event-stream', 'id: e1.1\nevent: custom\ndata: {oops\n\n'],
    ['a hello that is not JSON', 'text/event-stream', 'event: stream.hello\ndata: hi\n\n'],
    ['an event without a number', 'text/event-stream', 'id: e1.1\nevent: custom\ndata: {"type":"custom"}\n\n'],
    ['an event without an id', 'text/event-stream', 'event: custom\ndata: {"seq":1,"type":"custom"}\n\n'],
    ['a frame without an end', 'text/event-stream', `data: ${'x'.repeat(17 * 1024 * 1024)}`],
  ])('%s is refused, not retried', async (_name, type, body) => {
    const { url, requests } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': type }).end(body);
    });
    await expect(all(url)).rejects.toMatchObject({ code: 'stream_broken' });
    expect(requests).toHaveLength(1);
  });

  test('comes back from a server that is away, later each time, until there is progress again', async () => {
    const { url } = await serve((_, response, connection) => {
      if (connection <= 4) response.writeHead(503).end();
      else if (connection === 5) open(response).end(hello() + event(1));
      else open(response).end(hello() + event(2) + byeFrame());
    });
    const followed: Followed[] = [];
    // The first waits are up to a second; the server has not said yet that one millisecond will do.
    const random = Math.random;
    Math.random = () => 0.01;
    try {
      for await (const it of follow(url)) followed.push(it);
    } finally {
      Math.random = random;
    }
    const waits = followed.flatMap((it) => (it.kind === 'disconnected' ? [[it.attempt, it.retryMs]] : []));
    expect(waits).toEqual([
      [1, 10],
      [2, 20],
      [3, 40],
      [4, 80],
      [1, 0],
    ]);
    expect(seqs(followed)).toEqual([1, 2]);
  });

  test('leaves a server that fell silent, and resumes (P6)', async () => {
    const { url, requests } = await serve((_, response, connection) => {
      if (connection === 1) open(response).write(hello(20) + event(1));
      else open(response).end(hello() + event(2) + byeFrame());
    });
    const followed = await all(url);
    expect(seqs(followed)).toEqual([1, 2]);
    expect(followed.find((it) => it.kind === 'disconnected')?.error.message).toBe('The server fell silent.');
    expect(requests[1]?.headers['last-event-id']).toBe('e1.1');
  });

  test('ends quietly when it is aborted, and lets go of the connection in any case', async () => {
    const closed: Promise<unknown>[] = [];
    const { url } = await serve((_, response) => {
      closed.push(new Promise((resolve) => response.once('close', resolve)));
      open(response).write(hello() + event(1));
    });
    const abort = new AbortController();
    for await (const it of follow(url, { signal: abort.signal })) if (it.kind === 'event') abort.abort();
    for await (const it of follow(url)) if (it.kind === 'event') break;
    expect(closed).toHaveLength(2);
    await Promise.all(closed);
  });

  test('an unknown frame of the stream itself is passed over; an unknown event is not', async () => {
    const { url } = await serve((_, response) => {
      open(response).end(hello() + writeFrame({ event: 'stream.future', data: '{}' }) + event(1, 'x.new') + byeFrame());
    });
    expect(kinds(await all(url))).toEqual(['connected', 'event']);
  });
});
