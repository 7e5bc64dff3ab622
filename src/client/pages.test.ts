/** Pages are told as a stream would tell them: the same place takes them, from any cursor on. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import type { ConnectionPhase } from './connection-state.ts';
import { readPages } from './pages.ts';
import type { Followed } from './source.ts';
import { Stream, type Way } from './stream.ts';

let server: StreamServer;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  server = await streamServer();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await server.close();
});

/** What a stream that is carried by pages tells. */
function watch(path: string, after?: string) {
  const items: Followed[] = [];
  const phases: ConnectionPhase[] = [];
  const requests: string[] = [];
  const sink = {
    take: (more: readonly Followed[]) => void items.push(...more),
    connection: ({ phase }: { phase: ConnectionPhase }) => void phases.push(phase),
  };
  const stream = new Stream(new URL(path, server.url), sink, {
    after,
    startsOver: true,
    headers: () => ({}),
    fetch(input, init) {
      requests.push(String(input).slice(server.url.length));
      return fetch(input, init);
    },
    way: onPages(),
  });
  closing.push(() => stream.close());
  stream.open();
  const numbers = () => items.flatMap((it) => (it.kind === 'event' ? it.event.seq : []));
  const is = (phase: ConnectionPhase) => until(() => phases.at(-1) === phase, phase);
  return { items, phases, requests, numbers, is };
}

const cursors = (items: readonly Followed[]) => items.flatMap((it) => (it.kind === 'event' ? it.cursor : []));

test('history, then each event as it comes, up to the end (P7)', async () => {
  await append(server.log, 'r', [START, ...Array.from({ length: 1500 }, (_, i) => custom(i))]);
  const pages = watch('/v1/runs/r/stream');
  await pages.is('live');
  expect(pages.items[0]).toMatchObject({
    kind: 'connected',
    hello: { threadId: 'r', runId: 'r', earliest: 1, latest: 1501 },
  });
  await append(server.log, 'r', [custom('live')]);
  await until(() => pages.numbers().length === 1502, 'the event');
  await append(server.log, 'r', [END]);
  await pages.is('closed');
  expect(pages.numbers()).toEqual(Array.from({ length: 1503 }, (_, i) => i + 1));
  expect(pages.phases).toEqual(['connecting', 'catching-up', 'live', 'closed']);
  expect(server.hub.viewers).toBe(0);
});

test('goes on after any cursor; of a run that has ended nothing more is told (P7)', async () => {
  await append(server.log, 'r', [START, custom(1), END]);
  const whole = watch('/v1/runs/r/stream');
  await whole.is('closed');
  for (const [i, cursor] of cursors(whole.items).entries()) {
    const rest = watch('/v1/runs/r/stream', cursor);
    await rest.is('closed');
    expect(rest.numbers()).toEqual([1, 2, 3].slice(i + 1));
    expect(rest.items.some((it) => it.kind === 'reset')).toBe(false);
  }
});

test('numbers of other runs of the thread are jumped over, and the cursor with them', async () => {
  await append(server.log, 'a', [START], 't');
  await append(server.log, 'b', [START, custom(1)], 't');
  await append(server.log, 'a', [custom(2)], 't');
  await append(server.log, 'b', [custom(3), custom(4)], 't');
  const run = watch('/v1/runs/a/stream');
  const thread = watch('/v1/threads/t/stream');
  await run.is('live');
  await thread.is('live');
  expect(run.numbers()).toEqual([1, 4]);
  expect(thread.numbers()).toEqual([1, 2, 3, 4, 5, 6]);
  await until(() => run.requests.some((it) => /after=\w+\.6&.*wait=25/.test(it)), 'it to wait behind the others');
  await append(server.log, 'a', [END], 't');
  await run.is('closed');
  expect(run.numbers()).toEqual([1, 4, 7]);
});

test('from=snapshot begins with the fold, and goes on after it', async () => {
  await append(server.log, 'r', [START, custom(1)]);
  const pages = watch('/v1/runs/r/stream?from=snapshot');
  await pages.is('live');
  expect(pages.items[1]).toMatchObject({ kind: 'snapshot', snapshot: { runId: 'r', status: 'running', seq: 2 } });
  await append(server.log, 'r', [END]);
  await pages.is('closed');
  expect(pages.numbers()).toEqual([3]);
});

test.each(['foreign.2', 'nonsense'])(
  'a cursor that cannot be followed (%s) is a reset, and the log from its beginning',
  async (cursor) => {
    await append(server.log, 'r', [START, custom(1), END]);
    const pages = watch('/v1/runs/r/stream', cursor);
    await pages.is('closed');
    expect(pages.items[1]).toMatchObject({ kind: 'reset', reset: { earliest: 1, latest: 3, shared: 0, after: 0 } });
    expect(pages.numbers()).toEqual([1, 2, 3]);
  },
);

test('a refusal ends it, with its code', async () => {
  const states: unknown[] = [];
  const sink = { take() {}, connection: (state: object) => void states.push(state) };
  const stream = new Stream(new URL('/v1/runs/none/stream', server.url), sink, {
    fetch,
    headers: () => ({}),
    way: onPages(),
  });
  stream.open();
  await until(() => states.length === 2, 'the refusal');
  expect(states[1]).toMatchObject({ phase: 'closed', error: { code: 'run_not_found' } });
});

/** A way on which everything comes in pages. */
function onPages(): Way {
  const base = new URL(server.url);
  const carrier: Way['carrier'] = (url, options) => readPages(url, options, true);
  return { base, carrier, share: false, streams: new Set(), detour() {} };
}
