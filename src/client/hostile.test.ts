/** Servers that are away, refuse, are something else, or mean harm: an error with a code, no loop, no growth, no crash. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  emptySnapshot,
  progressFrame,
  resetFrame,
  revokedFrame,
  snapshotFrame,
  writeFrame,
} from '../protocol/index.ts';
import { createClient } from './client.ts';
import type { RunView } from './run.ts';
import {
  caughtUp,
  ended,
  event,
  hello,
  play,
  type Scripted,
  type Step,
  serve,
  started,
  write,
} from './scripted.fixture.ts';

let server: Scripted | undefined;
// Back-off is as short as it can be.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0.001));
afterEach(async () => {
  vi.restoreAllMocks();
  await server?.close();
});

/** How a run's store ends up with this server, at most three attempts in a row. */
async function outcome(script: (connection: number) => readonly Step[]): Promise<RunView> {
  server = await serve((_, response, connection) => play(response, script(connection)));
  return watch(server.url);
}

async function watch(url: string): Promise<RunView> {
  const client = createClient({ url, maxAttempts: 3 });
  const run = client.run('r1');
  try {
    return await new Promise((resolve) => {
      run.subscribe(() => run.getSnapshot().connection === 'closed' && resolve(run.getSnapshot()));
    });
  } finally {
    client.close();
  }
}

const problem = (status: number, code?: string): Step[] => [
  { status, body: code ? JSON.stringify({ code }) : '<h1>No</h1>' },
];
const data = (value: unknown, id = 'e1.2', type = 'custom'): string =>
  writeFrame({ id, event: type, data: JSON.stringify(value) });
const head = {
  epoch: 'e2',
  first: 1,
  last: 9,
  epochs: [
    { id: 'e1', after: 0 },
    { id: 'e2', after: 1 },
  ],
};
const reset = (after: number): string => resetFrame({ reason: 'diverged', shared: after }, after, head);
const after = (...frames: Step[]) => [hello(), started(), ...frames, 'end' as const];
const cases: Record<string, [code: string, retryable: boolean, script: (connection: number) => readonly Step[]]> = {
  'no server error passes in three attempts': ['unreachable', true, () => problem(503)],
  'a busy server, in words of ours': ['overloaded', true, () => problem(503, 'overloaded')],
  'a server that fails': ['internal', false, () => problem(500, 'internal')],
  'who asks is not known': ['unauthorized', false, () => problem(401)],
  'who asks may not': ['forbidden', false, () => problem(403)],
  'another origin may not': ['origin_refused', false, () => problem(403, 'origin_refused')],
  'no such run': ['run_not_found', false, () => problem(404, 'run_not_found')],
  'no such page': ['not_found', false, () => problem(404)],
  'what is gone': ['not_found', false, () => problem(410)],
  'a code of a later version': ['invalid_request', false, () => problem(418, 'teapot')],
  'a page instead of a stream': [
    'stream_broken',
    true,
    () => [{ status: 200, type: 'text/html', body: '<!doctype html>' }],
  ],
  'a stream of something else': ['stream_broken', true, () => ['data: hello\n\n', 'end']],
  'a hello that is none': ['stream_broken', true, () => ['event: stream.hello\ndata: hi\n\n', 'end']],
  'an end in the middle, again and again': ['unreachable', true, () => [hello(), 'drop']],
  'the same beginning, again and again': ['unreachable', true, () => after()],
  'a line without end': [
    'stream_broken',
    true,
    (n) => (n === 1 ? after() : [hello(), `data: ${'x'.repeat(17 * 1024 * 1024)}`]),
  ],
  'data that is not JSON': ['stream_broken', true, () => after('id: e1.2\ndata: {oops\n\n')],
  'data that is no object': ['stream_broken', true, () => after(data(null))],
  'an event without data': ['stream_broken', true, () => after(data({ seq: 2, runId: 'r1', type: 'custom' }))],
  'an event without a number': ['stream_broken', true, () => after(data({ runId: 'r1', type: 'custom', data: {} }))],
  'a number that is none': [
    'stream_broken',
    true,
    () => after(data({ seq: '2', runId: 'r1', type: 'custom', data: {} })),
  ],
  'a cursor of another number': [
    'stream_broken',
    true,
    () => after(data({ seq: 2, runId: 'r1', type: 'custom', data: {} }, 'e1.3')),
  ],
  'a cursor that is none': [
    'stream_broken',
    true,
    () => after(data({ seq: 2, runId: 'r1', type: 'custom', data: {} }, 'x'.repeat(64))),
  ],
  'progress without a cursor': [
    'stream_broken',
    true,
    () => after(writeFrame({ event: 'stream.progress', data: '{"seq":9}' })),
  ],
  'an event of another run': [
    'stream_broken',
    true,
    () => after(data({ seq: 2, epoch: 'e1', runId: 'r2', threadId: 'r1', type: 'custom', data: {} })),
  ],
  'a hole that stays': ['stream_broken', true, () => after(event(3))],
  'a step back behind a hole': ['stream_broken', true, () => after(event(2, 'custom', 5), event(1), event(9))],
  'part of what is merged': [
    'stream_broken',
    true,
    () =>
      after(
        data(
          {
            seq: 3,
            prev: 0,
            first: 1,
            count: 3,
            epoch: 'e1',
            runId: 'r1',
            type: 'message.delta',
            data: { messageId: 'm', delta: 'x' },
          },
          'e1.3',
          'message.delta',
        ),
      ),
  ],
  'a known event whose data makes no sense': [
    'invalid_event',
    false,
    () =>
      after(
        data(
          { seq: 2, epoch: 'e1', runId: 'r1', threadId: 'r1', type: 'plan.created', time: '', data: {} },
          'e1.2',
          'plan.created',
        ),
      ),
  ],
  'a fold of another run': ['stream_broken', true, () => [hello(), snapshotFrame('e1.5', emptySnapshot('r2')), 'stay']],
  'resets without end': ['stream_broken', true, () => [hello(), started(), reset(1), 'stay']],
  'resets without end on one connection': [
    'stream_broken',
    true,
    () => [hello(), started(), ...Array.from({ length: 50 }, () => reset(0)), 'stay'],
  ],
  'being sent away without end': [
    'unreachable',
    true,
    () => [hello(), writeFrame({ event: 'stream.draining', data: '{}' }), 'stay'],
  ],
  'access that is taken back': ['access_revoked', false, () => [hello(), revokedFrame('revoked'), 'stay']],
  'access that is taken back for no reason': [
    'access_revoked',
    false,
    () => [hello(), writeFrame({ event: 'stream.revoked', data: '{}' }), 'stay'],
  ],
  'access that runs out without end': ['unreachable', true, () => [hello(), revokedFrame('expired'), 'stay']],
};

describe('ends in an error with a code, after a few requests', () => {
  test.each(Object.entries(cases))('%s', async (_name, [code, retryable, script]) => {
    const { error } = await outcome(script);
    expect({ code: error?.code, retryable: error?.retryable }).toEqual({ code, retryable });
    expect(error?.message).not.toBe('');
    expect(server?.requests.length).toBeLessThanOrEqual(8);
  });

  test('no server at all', async () => {
    const gone = await serve(() => {});
    await gone.close();
    const { error, attempt } = await watch(gone.url);
    expect([error?.code, attempt]).toEqual(['unreachable', 4]);
  });
});

test('a refusal without end is read no further than a refusal can be long', async () => {
  let sent = 0;
  server = await serve(async (_, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' });
    while (!response.destroyed) {
      await write(response, 'x'.repeat(64 * 1024));
      sent += 64 * 1024;
    }
  });
  expect((await watch(server.url)).error?.code).toBe('not_found');
  // What the sockets on both sides take before anybody looks.
  expect(sent).toBeLessThan(32 * 1024 * 1024);
});

describe('is taken', () => {
  test.each<[string, readonly Step[]]>([
    ['an event of a type nobody knows', [event(2, 'of.yours')]],
    ['frames of the stream that nobody knows', [writeFrame({ event: 'stream.future', data: 'what' }), event(2)]],
    ['an event as large as they come', [event(2, 'custom', undefined, { name: 'n', value: 'x'.repeat(256 * 1024) })]],
    ['progress that goes back', [event(2), progressFrame('e1', 1)]],
    ['events twice, and out of order behind what is known', [event(2), event(2), started(), event(2)]],
    ['comments and fields of any kind', [': x\n\n', 'retry: soon\n', 'unknown: 1\n', ':\n', event(2)]],
    ['a second hello', [hello(), caughtUp(1), hello(), event(2)]],
  ])('%s', async (_name, steps) => {
    const view = await outcome(() => [hello(), started(), ...steps, ended(3), 'end']);
    expect(view).toMatchObject({ error: undefined, data: { events: 3, status: 'completed' } });
    expect(server?.requests).toHaveLength(1);
  });

  test('a flood of tiny frames, without growing', async () => {
    const flood = 'event: stream.future\ndata: {}\n\n: x\n\n'.repeat(10_000);
    server = await serve(async (_, response) => {
      await play(response, [hello(), started()]);
      for (let i = 0; i < 50; i++) await write(response, flood);
      await play(response, [ended(2), 'end']);
    });
    const before = process.memoryUsage().heapUsed;
    expect((await watch(server.url)).data).toMatchObject({ events: 2 });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });

  test('events as large as they come, of which only the newest stay', async () => {
    const large = (seq: number) => event(seq, 'custom', undefined, { name: 'n', value: 'x'.repeat(250 * 1024) });
    const view = await outcome(() => [
      hello(),
      started(),
      ...Array.from({ length: 100 }, (_, i) => large(i + 2)),
      ended(102),
      'end',
    ]);
    expect(view.data).toMatchObject({ events: 102 });
    const kept = view.events.reduce((sum, it) => sum + JSON.stringify(it).length, 0);
    expect(kept).toBeGreaterThan(4 * 1024 * 1024);
    expect(kept).toBeLessThanOrEqual(8 * 1024 * 1024);
  });
});
