/** Runs come and go for as long as the server lives: what each leaves behind in the process adds up. */
import { queryObjects } from 'node:v8';
import { expect, test, vi } from 'vitest';
import { openMemory } from '../log/memory.ts';
import type { RunWriter } from '../protocol/index.ts';
import { Executor } from './executor.ts';
import { Gate } from './gate.ts';
import { type AgentFunction, Runs } from './index.ts';
import { RunWatch } from './run-watch.ts';
import { eventsAtEnd } from './watching.fixture.ts';

const KINDS: Record<string, AgentFunction> = {
  works: (run) => run.tool('t', {}, () => 1),
  fails: () => {
    throw new Error('no');
  },
  asks: (run) => run.approve({ prompt: '?', expiresIn: 3_600_000 }),
  listens: async (run) => {
    for await (const _ of run.inputs());
  },
  walks: async (run: RunWriter) => {
    for (;;) await run.checkpoint();
  },
  calls: (run) => run.child('walks'),
};
const ENDLESS = ['asks', 'listens', 'walks', 'calls'];
const left = () => [Executor, Gate, RunWatch].map((kind) => queryObjects(kind, { format: 'count' }));
const timers = () => process.getActiveResourcesInfo().filter((it) => it === 'Timeout').length;

test('a run that has ended leaves nothing behind, whatever it did and however it ended', async () => {
  const log = openMemory();
  const runs = new Runs(log, { concurrency: 10, commandTimeoutMs: 10 });
  for (const [name, agent] of Object.entries(KINDS)) runs.register(name, agent);
  const timersBefore = timers();
  for (const agent of Object.keys(KINDS)) {
    const started = await Promise.all(Array.from({ length: 50 }, () => runs.start({ agent, timeout: 3_600 })));
    for (const { runId, status } of started) {
      if (!ENDLESS.includes(agent)) continue;
      if (status === 'running') await runs.commands.ask(runId, { command: 'pause' });
      await runs.commands.ask(runId, { command: 'cancel' });
    }
    for (const { runId } of started) await eventsAtEnd(log, runId);
  }
  await vi.waitFor(() => expect(left()).toEqual([0, 0, 0]), { timeout: 10_000, interval: 100 });
  expect(timers()).toBeLessThanOrEqual(timersBefore);
  await runs.close();
}, 30_000);
