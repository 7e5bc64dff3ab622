import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openMemory } from '../log/memory.ts';
import { Runs } from './index.ts';
import { eventsAtEnd, eventsWhen } from './watching.fixture.ts';

const HOUR_MS = 3_600_000;
const question = (approvalId: string) => ({
  type: 'approval.requested',
  data: { approvalId, prompt: '?', expiresAt: new Date(Date.now() + HOUR_MS).toISOString() },
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] });
});
afterEach(() => void vi.useRealTimers());

test('what a run has asked is watched no more once the run has ended', async () => {
  const log = openMemory();
  const runs = new Runs(log);
  runs.register('it', async (run) => {
    for (let n = 0; n < 3; n++) run.approve({ prompt: '?', expiresIn: HOUR_MS }).catch(() => undefined);
    for await (const _ of run.inputs()) return;
  });
  const { runId } = await runs.start({ agent: 'it' });
  await eventsWhen(log, runId, (events) => events.filter(({ type }) => type === 'approval.requested').length === 3);
  // It hears of this behind the questions, so these are watched by then.
  await runs.inputs.send(runId, { input: 'go on' });
  await eventsAtEnd(log, runId);
  expect(vi.getTimerCount()).toBe(0);
});

test('the same of a remote run, whoever ends it', async () => {
  const runs = new Runs(openMemory());
  await runs.recover();
  const withoutQuestions = vi.getTimerCount();
  for (const runId of ['ended', 'silent']) {
    await runs.start({ agent: 'it', mode: 'remote', runId, lease: 2 });
    await runs.remote.append(runId, [question('q1'), question('q2')]);
  }
  expect(vi.getTimerCount()).toBe(withoutQuestions + 4);
  await runs.remote.append('ended', [{ type: 'run.completed', data: {} }]);
  expect(vi.getTimerCount()).toBe(withoutQuestions + 2);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await runs.snapshot('silent')).toMatchObject({ status: 'failed', approvals: [{ status: 'expired' }, {}] });
  expect(vi.getTimerCount()).toBe(withoutQuestions);
  await runs.close();
});

test('a clock that was set, or a machine that has slept, is noticed within a minute', async () => {
  const log = openMemory();
  const runs = new Runs(log);
  await runs.start({ agent: 'it', mode: 'remote', runId: 'r' });
  await runs.remote.append('r', [question('q')]);
  // Timers stand still meanwhile.
  vi.setSystemTime(Date.now() + HOUR_MS);
  await vi.advanceTimersByTimeAsync(60_000);
  expect((await runs.snapshot('r')).approvals).toMatchObject([{ status: 'expired' }]);
  await runs.close();
});
