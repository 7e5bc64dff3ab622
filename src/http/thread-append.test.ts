import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';

let dir: string;
let app: Telltale | undefined;
let url: string;

async function restart(): Promise<void> {
  await app?.close();
  app = telltale({ store: dir });
  ({ url } = await app.listen(0));
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-'));
  await restart();
});

afterAll(async () => {
  await app?.close();
  await rm(dir, { recursive: true });
});

const activity = (action: string) => ({
  type: 'activity.reported',
  data: { action, status: 'in-progress' },
  agent: { id: 'd', name: 'Document Agent', path: 'd' },
});
const END = { type: 'run.completed', data: {} };

async function append(threadId: string, events: unknown[], about = {}, key?: [epoch: number, seq: number]) {
  const response = await fetch(`${url}/v1/threads/${threadId}/events`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key && { 'producer-id': 'p', 'producer-epoch': String(key[0]), 'producer-seq': String(key[1]) }),
    },
    body: JSON.stringify({ events, ...about }),
  });
  return response.json();
}

const get = async (path: string) => (await fetch(url + path)).json();
const typesOf = async (threadId: string): Promise<string[]> =>
  (await get(`/v1/threads/${threadId}/events`)).events.map(({ type }: { type: string }) => type);

test('P8: an append to a thread opens its run, and later ones continue it, also after a restart', async () => {
  const first = await append('session-1', [activity('a')], { agent: 'documents', lease: 3600 });
  expect(first).toMatchObject({ first: 2, last: 2, runId: expect.any(String) });
  const { runId } = first;
  expect(await append('session-1', [activity('b')])).toMatchObject({ runId, first: 3 });
  await restart();
  expect(await append('session-1', [activity('c')])).toMatchObject({ runId, first: 4 });
  const { runs } = await get('/v1/runs?threadId=session-1');
  expect(runs).toMatchObject([{ runId, agent: 'documents', status: 'running', events: 4 }]);
});

test('what comes after its end opens the next, also after a restart', async () => {
  const one = await append('session-2', [activity('a'), END]);
  const two = await append('session-2', [activity('b'), END]);
  await restart();
  const three = await append('session-2', [activity('c')]);
  expect(new Set([one.runId, two.runId, three.runId]).size).toBe(3);
  const told = ['run.started', 'activity.reported', 'run.completed'];
  expect(await typesOf('session-2')).toEqual([...told, ...told, 'run.started', 'activity.reported']);
});

test('many at once share one run', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => append('session-3', [activity(`${i}`)])));
  expect(new Set(answers.map(({ runId }) => runId)).size).toBe(1);
  expect((await typesOf('session-3')).filter((type) => type === 'run.started')).toHaveLength(1);
});

test('with a producer key a repetition is recognised, also of what ended the run', async () => {
  const first = await append('session-4', [activity('a')], {}, [0, 0]);
  expect(await append('session-4', [activity('a')], {}, [0, 0])).toEqual({ ...first, duplicate: true });
  const last = await append('session-4', [END], {}, [0, 1]);
  await restart();
  expect(await append('session-4', [END], {}, [0, 1])).toEqual({ ...last, duplicate: true });
  expect(await append('session-4', [activity('b')], {}, [0, 2])).toMatchObject({ code: 'producer_gap', expected: 0 });
  expect(await append('session-4', [activity('b')], {}, [1, 0])).toMatchObject({ first: 5 });
  expect((await get('/v1/runs?threadId=session-4')).runs).toHaveLength(2);
});

test('what is refused opens nothing', async () => {
  expect(await append('session-5', [{ type: 'activity.reported', data: {} }])).toMatchObject({ code: 'invalid_event' });
  expect(await append('session-5', [activity('a')], { lease: 4 })).toMatchObject({ code: 'invalid_request' });
  expect(await append('no%20id', [activity('a')])).toMatchObject({ code: 'invalid_request' });
  expect(await get('/v1/threads/session-5')).toMatchObject({ code: 'thread_not_found' });
});

test('a run with the id of an implicit one, in another thread, is passed over', async () => {
  const { runId } = await append('session-6', [activity('a')]);
  await app?.close();
  await rm(dir, { recursive: true });
  await restart();
  await fetch(`${url}/v1/runs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ agent: 'a', runId, mode: 'remote' }),
  });
  expect((await append('session-6', [activity('a')])).runId).not.toBe(runId);
});
