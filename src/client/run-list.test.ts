import { describe, expect, test } from 'vitest';
import { writeFrame } from '../protocol/index.ts';
import { live, scripts, view } from './client.fixture.ts';

describe('a live list of runs', () => {
  const listed = (runId: string, status = 'running', createdAt = '2026-11-20T18:00:00.000Z') => ({
    ...{ runId, threadId: runId, agent: 'a', status, createdAt, first: 1, events: 1 },
  });
  const frame = (name: string, data: object): string =>
    writeFrame({ event: `stream.${name}`, data: JSON.stringify(data) });
  const hi = `retry: 1\n\n${frame('hello', { heartbeatMs: 15_000 })}`;
  const done = frame('caught-up', {});

  test('shows the newest first and what changes, and after a cut the list that comes anew, once it is whole (P7)', async () => {
    const [change, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const server = await scripts(
      [hi, frame('run', listed('b')), frame('run', listed('a')), done, { until: change.promise }],
      [
        hi,
        frame('run', listed('c', 'running', '2026-11-20T19:00:00.000Z')),
        { until: rest.promise },
        frame('run', listed('b')),
        done,
        'stay',
      ],
    );
    const list = server.client.runs({ status: 'running', limit: 10 });
    expect(server.client.runs({ status: 'running', limit: 10 })).toBe(list);
    const ids = () => list.getSnapshot().data?.map((it) => it.runId);
    const first = await view(list, live);
    expect(ids()).toEqual(['b', 'a']);
    const gone = server.requests[0]?.socket;
    change.resolve();
    gone?.destroy();
    await view(list, (it) => it.connection === 'catching-up');
    expect(ids()).toEqual(['b', 'a']);
    rest.resolve();
    await view(list, live);
    expect(ids()).toEqual(['c', 'b']);
    expect(first.data?.length).toBe(2);
    expect(server.requests.map((it) => [it.url, it.headers.accept, it.headers['last-event-id']])).toEqual(
      Array(2).fill(['/v1/runs?status=running&limit=10', 'text/event-stream', undefined]),
    );
  });

  test('a run that leaves it is gone, one that changes is another object, the others stay the same', async () => {
    const change = Promise.withResolvers<void>();
    const { client } = await scripts([
      ...[
        hi,
        frame('run', listed('c')),
        frame('run', listed('b')),
        frame('run', listed('a')),
        done,
        { until: change.promise },
      ],
      ...[frame('left', { runId: 'b', reason: 'status' }), frame('run', listed('a', 'paused')), 'stay' as const],
    ]);
    const list = client.runs();
    const before = (await view(list, live)).data;
    change.resolve();
    const after = (await view(list, (it) => it.data?.length === 2)).data;
    expect(after?.map((it) => [it.runId, it.status])).toEqual([
      ['c', 'running'],
      ['a', 'paused'],
    ]);
    expect(after?.[0]).toBe(before?.[0]);
  });
});
