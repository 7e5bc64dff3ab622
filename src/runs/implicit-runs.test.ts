import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openEmbedded } from '../log/embedded/index.ts';
import { foldRun } from '../log/index.ts';
import { LIMITS } from '../protocol/index.ts';
import { ImplicitRuns, Runs } from './index.ts';

const activity = (action: string) => ({ events: [{ type: 'activity.reported', data: { action, status: 'done' } }] });

test('who does not wait is stored in the order of the calls, also where the first of them opens the run', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-implicit-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const log = await openEmbedded({ dir });
  onTestFinished(() => log.close());
  const sessions = new ImplicitRuns(log, new Runs(log), LIMITS);
  const called = Array.from({ length: 20 }, (_, i) => `${i}`);
  for (let session = 0; session < 10; session++) {
    const appended = called.map((action) => sessions.appendInTurn(`t${session}`, activity(action)));
    const [first] = await Promise.all(appended);
    const { activities } = await foldRun(log, (await log.runs.get(first!.runId))!);
    expect(activities.map(({ action }) => action)).toEqual(called);
  }
});
