/** What a store shows is what the log says, and each handler is given each event once, whatever the network does. */
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { Recording } from '../hub/recording.fixture.ts';
import { byeFrame, emptySnapshot, type RunSnapshot, reduce, type TelltaleEvent } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { checkHistory, type HistoryRecord } from '../testing/history-checker.ts';
import { createClient } from './client.ts';
import type { Run } from './run.ts';
import { event, hello, play, serve, started, write } from './scripted.fixture.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const finished = (run: Run): Promise<RunSnapshot | undefined> =>
  new Promise((resolve, reject) => {
    run.subscribe(() => {
      const { connection, error, data } = run.getSnapshot();
      if (connection === 'closed') error ? reject(error) : resolve(data);
    });
  });

const id = fc.constantFrom('1', '2');
const draft = fc.oneof(
  fc.record({ messageId: id, delta: fc.string() }).map((data) => ['message.delta', data] as const),
  fc.record({ messageId: id, text: fc.string() }).map((data) => ['message.completed', data] as const),
  fc.record({ toolCallId: id, name: id }).map((data) => ['tool.started', data] as const),
  fc.record({ toolCallId: id, result: fc.jsonValue() }).map((data) => ['tool.completed', data] as const),
  fc.record({ action: fc.string(), status: id }).map((data) => ['activity.reported', data] as const),
  fc.record({ any: fc.string() }).map((data) => ['of.yours', data] as const),
);

test('any split, any cut, any repeat: the same snapshot as that of the log, and each event once (P5, P7)', async () => {
  const script = fc.record({
    drafts: fc.array(draft, { maxLength: 25 }),
    /** Bytes after which each connection is cut; the one after the last goes through. */
    cuts: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 6 }),
    chunk: fc.integer({ min: 1, max: 300 }),
    /** How many events before the cursor are sent again: a careless proxy. */
    repeats: fc.nat(4),
  });
  await fc.assert(
    fc.asyncProperty(script, async ({ drafts, cuts, chunk, repeats }) => {
      const count = drafts.length + 2;
      const frames = [
        started(),
        ...drafts.map(([type, data], i) => event(i + 2, type, undefined, data)),
        event(count, 'run.completed', undefined, {}),
      ];
      const server = await serve(async (request, response, connection) => {
        const cursor = Number(/^e1\.(\d+)$/.exec(String(request.headers['last-event-id']))?.[1] ?? 0);
        if (cursor === count) return response.writeHead(204).end();
        const bytes = Buffer.from(hello() + frames.slice(Math.max(0, cursor - repeats)).join('') + byeFrame());
        const end = Math.min(cuts[connection - 1] ?? bytes.length, bytes.length);
        await play(response, ['stay']);
        for (let at = 0; at < end; at += chunk) await write(response, bytes.subarray(at, Math.min(at + chunk, end)));
        await play(response, [end < bytes.length ? 'drop' : 'end']);
      });
      const client = createClient({ url: server.url, window: 3 });
      try {
        const run = client.run('r1');
        const given: number[] = [];
        run.on('event', (it) => given.push(it.event.seq));
        const walked: number[] = [];
        const walking = (async () => {
          for await (const { seq } of run.events()) walked.push(seq);
        })().catch(() => 'what left the window is at an address that this server does not have');
        const events = frames.map((it) => JSON.parse(/data: (.*)\n/.exec(it)?.[1] ?? '') as TelltaleEvent);
        expect(await finished(run)).toEqual(events.reduce(reduce, emptySnapshot('r1')));
        expect(given).toEqual(events.map((it) => it.seq));
        await walking;
        expect(walked).toEqual(given.slice(0, walked.length));
      } finally {
        client.close();
        await server.close();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

/** A run of these batches, watched live through a network that breaks, and what everybody has in the end. */
async function watchThroughFaults(batches: readonly (readonly Draft[])[], seed: number) {
  const server = await streamServer({ heartbeatMs: 100 });
  closing.push(() => server.close());
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const proxy = await faultyProxy(server.url, (n) => {
    const cut = { cutAfter: 400 + random(6000), cutBy: random(2) ? 'reset' : 'fin' } as const;
    return n < 60 ? { ...cut, ...(random(3) === 0 && { trickle: 100 }) } : {};
  });
  closing.push(() => proxy.close());
  const client = createClient({ url: proxy.url, fetch: withoutWaiting });
  closing.push(() => client.close());
  const recording = new Recording();
  const store = async (drafts: readonly Draft[]) =>
    recording.acked(server.log, 'r', await append(server.log, 'r', drafts));
  await store([START, ...(batches[0] as Draft[])]);
  const run = client.run('r');
  const record = (what: object): void => {
    recording.records.push({ at: performance.now(), viewer: 'store', ...what } as HistoryRecord);
  };
  record({ what: 'connected', from: 0 });
  const seen: TelltaleEvent[] = [];
  run.on('event', ({ event: { prev: _, ...event } }) => {
    const { epoch, seq, type, runId } = event;
    seen.push(event as TelltaleEvent);
    record({ what: 'delivered', event: { epoch, seq, type, runId, content: JSON.stringify(event) } });
  });
  const walked: TelltaleEvent[] = [];
  const walking = (async () => {
    for await (const event of run.events()) walked.push(event);
  })();
  const done = finished(run);
  for (const batch of [...batches.slice(1), [END]]) {
    await store(batch);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const data = await done;
  await walking;
  record({ what: 'complete' });
  const { cursor: _, ...snapshot } = await createClient({ url: server.url }).snapshot('r');
  expect(proxy.connections).toBeGreaterThan(5);
  expect(server.errors).toEqual([]);
  return { seen, walked, data, snapshot, findings: checkHistory(recording.records) };
}

/** The server asks for seconds before coming back, which a test has not. */
const withoutWaiting: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  const text = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(
    new TransformStream<string, string>({
      transform: (piece, to) => to.enqueue(piece.replace(/^retry: \d+$/m, 'retry: 5')),
    }),
  );
  return new Response(text?.pipeThrough(new TextEncoderStream()) ?? null, response);
};

const numbers = (events: readonly TelltaleEvent[]): number[] =>
  events.flatMap(({ seq, first = seq }) => Array.from({ length: seq - first + 1 }, (_, i) => first + i));
const upTo = (last: number): number[] => Array.from({ length: last }, (_, i) => i + 1);

test('a live run behind a network that breaks: the history checker finds nothing, the fold is that of the server (P7)', async () => {
  const batches = upTo(200).map((i) => upTo(1 + (i % 3)).map((k) => custom(`${i} ${k}`)));
  const { seen, walked, data, snapshot, findings } = await watchThroughFaults(batches, 1);
  expect(findings).toEqual([]);
  expect(data).toEqual(snapshot);
  expect(numbers(seen)).toEqual(upTo(snapshot.seq));
  expect(numbers(walked)).toEqual(upTo(snapshot.seq));
}, 60_000);

test('the same of deltas, which come merged or not as the network has it (P5)', async () => {
  const batches = upTo(200).map((i) => upTo(1 + (i % 5)).map((k) => delta(`${i} ${k} é`)));
  const { seen, walked, data, snapshot } = await watchThroughFaults(batches, 2);
  expect(data).toEqual(snapshot);
  expect(numbers(seen)).toEqual(upTo(snapshot.seq));
  expect(numbers(walked)).toEqual(upTo(snapshot.seq));
  expect(seen.length).toBeLessThan(snapshot.seq);
}, 60_000);
