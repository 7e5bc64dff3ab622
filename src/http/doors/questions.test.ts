import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Log } from '../../log/index.ts';
import { openMemory } from '../../log/memory.ts';
import { TelltaleError } from '../../protocol/index.ts';
import { Runs } from '../../runs/index.ts';
import { Questions } from './questions.ts';

const START = new Date('2026-11-20T18:00:00Z');
let log: Log;
let runs: Runs;
let questions: Questions;
/** Keys under which a run was started. */
let keys: string[];

const start = async (idempotencyKey: string) => {
  keys.push(idempotencyKey);
  return runs.start({ agent: 'a', mode: 'remote', idempotencyKey });
};
const ask = async (key = 'k') => (await questions.ask(key, start))?.runId;
const end = async (runId: string, type: 'run.completed' | 'run.failed' = 'run.completed') =>
  runs.remote.append(runId, [{ type, data: type === 'run.failed' ? { error: { code: 'x', message: 'x' } } : {} }]);
const after = (seconds: number) => vi.setSystemTime(new Date(Date.now() + seconds * 1000));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  log = openMemory();
  runs = new Runs(log);
  questions = new Questions(log);
  keys = [];
});
afterEach(async () => {
  vi.useRealTimers();
  await runs.close();
  await log.close();
});

test('a question has one run for as long as that is open, however long it takes', async () => {
  const first = await ask();
  after(86_400);
  expect([await ask(), await ask('another')]).toEqual([first, expect.not.stringMatching(`^${first}$`)]);
});

test('an answer that was not sent is kept for a minute after its end', async () => {
  const first = (await ask())!;
  await end(first);
  after(59);
  expect(await ask()).toBe(first);
  after(2);
  expect(await ask()).not.toBe(first);
});

test('one that was sent is forgotten, but not by the end of another run or of a stream that was only cut', async () => {
  const first = (await ask())!;
  await questions.sent('k', first);
  expect(await ask()).toBe(first);
  await end(first);
  await questions.sent('k', 'another');
  expect(await ask()).toBe(first);
  await questions.sent('k', first);
  expect(await ask()).not.toBe(first);
});

test('a failure that was heard is not asked for again for half a minute', async () => {
  const first = (await ask())!;
  await end(first, 'run.failed');
  await questions.heardFailure('k', first);
  for (const seconds of [3, 6, 9]) {
    after(seconds);
    expect(await ask()).toBeUndefined();
  }
  after(13);
  expect(await ask()).not.toBe(first);
});

test('a failure of a run before does not end one that is under way', async () => {
  const first = (await ask())!;
  await questions.heardFailure('k', 'before');
  expect(await ask()).toBe(first);
});

test('a run that was deleted answers nothing', async () => {
  const first = (await ask())!;
  await end(first);
  await log.retention.erase(first);
  expect(await ask()).not.toBe(first);
});

test('where it is not known whether a run was started, the same question finds out', async () => {
  const unknown = questions.ask('k', async (key) => {
    await start(key);
    throw new TelltaleError('log_unavailable', 'The answer was lost.');
  });
  await expect(unknown).rejects.toMatchObject({ code: 'log_unavailable' });
  expect([await ask(), keys[1]]).toEqual([expect.any(String), keys[0]]);
  expect((await log.runs.list({ limit: 10 })).runs).toHaveLength(1);
});
