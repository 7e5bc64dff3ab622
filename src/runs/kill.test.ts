/** A real process with real agents on a real disk, killed in the middle: what it acknowledged is there, and every run ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openEmbedded } from '../log/embedded/index.ts';
import { isTerminal } from '../protocol/index.ts';
import { Runs } from './index.ts';
import { eventsOf } from './watching.fixture.ts';

const AGENTS = 8;

/** Prints `<run> <number>` for each append that was acknowledged, and `<run> end` for a run that ended by itself. */
const CHILD = `
import { openEmbedded } from ${JSON.stringify(import.meta.resolve('../log/embedded/index.ts'))};
import { Runs } from ${JSON.stringify(import.meta.resolve('./index.ts'))};
const log = await openEmbedded({ dir: process.argv[1] });
const append = log.append.bind(log);
log.append = async (threadId, batch, options) => {
  const ack = await append(threadId, batch, options);
  process.stdout.write(options.runId + ' ' + (options.closes ? 'end' : ack.last) + '\\n');
  return ack;
};
const runs = new Runs(log);
runs.register('busy', async (run, { forever }) => {
  for (let i = 0; forever || i < 3; i++) {
    await run.agent('worker', () => run.tool('count', { i }, async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return i;
    }));
  }
});
for (let i = 0; i < ${AGENTS}; i++) await runs.start({ agent: 'busy', runId: 'r' + i, input: { forever: i % 4 !== 0 } });
`;

test('P10: SIGKILL: every run has its acknowledged events and exactly one end, executor_lost where it had none', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-kill-'));
  try {
    const { acked, ended } = await runAndKill(dir);
    await checkRecovery(dir, acked, ended);
  } finally {
    await rm(dir, { recursive: true });
  }
});

/** What a process had acknowledged, by run, when it was killed; and which runs had ended. */
async function runAndKill(dir: string): Promise<{ acked: Map<string, number>; ended: Set<string> }> {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', CHILD, dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const acked = new Map<string, number>();
  const ended = new Set<string>();
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [runId = '', what] = line.split(' ');
      if (what === 'end') ended.add(runId);
      else acked.set(runId, Number(what));
      const busy = [...acked].filter(([id, last]) => !ended.has(id) && last > 100);
      if (ended.size === 2 && busy.length === AGENTS - 2) break;
    }
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  return { acked, ended };
}

async function checkRecovery(
  dir: string,
  acked: ReadonlyMap<string, number>,
  ended: ReadonlySet<string>,
): Promise<void> {
  const log = await openEmbedded({ dir });
  const runs = new Runs(log);
  try {
    const recovered = await runs.recover();
    expect(recovered).toBe(AGENTS - ended.size);
    expect(await runs.recover()).toBe(0);
    for (let i = 0; i < AGENTS; i++) {
      const runId = `r${i}`;
      const events = await eventsOf(log, runId);
      expect(events.map((it) => it.seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.length).toBeGreaterThanOrEqual(acked.get(runId)!);
      expect(events.filter((it) => isTerminal(it.type))).toEqual([events.at(-1)]);
      const run = await runs.snapshot(runId);
      if (ended.has(runId)) expect(run.status).toBe('completed');
      else expect(run).toMatchObject({ status: 'failed', error: { code: 'executor_lost', retryable: true } });
      expect(run.tools.filter((it) => it.status === 'running')).toEqual([]);
    }
  } finally {
    await runs.close();
    await log.close();
  }
}
