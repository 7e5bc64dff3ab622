/** A server with a queue, killed and started again, from the point of view of somebody who watches all the time. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow } from '../client/index.ts';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { endAll, runOnce, start, startServer } from './process.fixture.ts';

const AGENTS = `
export async function works(run) {
  for (;;) {
    await run.checkpoint();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
export const calls = (run) => run.child('works', 'for its parent');
`;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-restart-'));
  await writeFile(join(dir, 'agents.mjs'), AGENTS);
});
afterAll(async () => {
  await endAll();
  await rm(dir, { recursive: true });
});

const serve = (port = '0') =>
  startServer([join(dir, 'agents.mjs'), '--data', join(dir, 'data'), '--concurrency', '3', '--port', port]);

test('P10: SIGKILL with runs that work, are paused, wait for their turn or for another: each ends once, and none starts', async () => {
  const { program, url, port } = await serve();
  const post = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await answer.json()) as { status: string; position?: number };
  };
  const seen = new Map<string, TelltaleEvent[]>();
  const waiting = new Set<() => void>();
  const watch = async (runId: string) => {
    const events: TelltaleEvent[] = [];
    seen.set(runId, events);
    for await (const item of follow(`${url}/v1/runs/${runId}/stream`)) {
      if (item.kind === 'event') events.push(item.event);
      for (const look of waiting) look();
    }
  };
  const until = async (runId: string, type: string) => {
    while (!seen.get(runId)?.some((event) => event.type === type)) {
      await new Promise<void>((resolve) => void waiting.add(resolve));
    }
  };

  const states: unknown[] = [];
  for (const [runId, agent] of [
    ['works', 'works'],
    ['paused', 'works'],
    ['calls', 'calls'],
    ['waits-1', 'works'],
    ['waits-2', 'calls'],
  ] as const) {
    const { status, position } = await post('/v1/runs', { agent, runId });
    states.push(position === undefined ? status : [status, position]);
  }
  expect(states).toEqual(['running', 'running', 'running', ['queued', 0], ['queued', 1]]);
  const viewers = ['works', 'paused', 'calls', 'waits-1', 'waits-2'].map(watch);
  await until('calls', 'agent.started');
  const { childRunId } = seen.get('calls')!.at(-1)!.data as { childRunId: string };
  viewers.push(watch(childRunId));
  await until(childRunId, 'run.started');
  await post('/v1/runs/paused/pause', { by: 'ann' });
  await until('paused', 'run.paused');

  program.child.kill('SIGKILL');
  await program.ended;
  await serve(port);
  await Promise.all(viewers);

  for (const [runId, events] of seen) {
    const types = events.map(({ type }) => type);
    expect(
      types.filter((type) => /^run\.(completed|failed|cancelled)$/.test(type)),
      runId,
    ).toEqual(['run.failed']);
    expect(events.at(-1), runId).toMatchObject({ data: { error: { code: 'executor_lost', retryable: true } } });
    expect(types.includes('run.started'), runId).toBe(!runId.startsWith('waits'));
    const answer = await fetch(`${url}/v1/runs/${runId}`);
    const { cursor: _, ...snapshot } = (await answer.json()) as RunSnapshot & { cursor: string };
    expect(reduceAll(emptySnapshot(runId, snapshot.threadId), events)).toEqual(snapshot);
    expect(snapshot.status).toBe('failed');
  }
}, 30_000);

test('telltale run shows how far a run is that has to wait, and Ctrl-C cancels it before it starts', async () => {
  const { url } = await startServer([
    join(dir, 'agents.mjs'),
    '--data',
    'memory:',
    '--concurrency',
    '1',
    '--port',
    '0',
  ]);
  const first = start(['run', 'works', 'one', '--url', url]);
  await first.saw(/works started/);
  const second = start(['run', 'works', 'two', '--url', url]);
  await second.saw(/▶ works queued · run .*\n {2}two\n {2}… next/);
  second.child.kill('SIGINT');
  const { code, stdout } = await second.ended;
  first.child.kill('SIGKILL');
  expect([code, stdout]).toEqual([130, expect.stringContaining('■ cancelled by telltale run: Ctrl-C')]);
  expect(stdout).not.toContain('started');
});

test('telltale serve refuses numbers that are none', async () => {
  const { code, stderr } = await runOnce(['serve', '--rules', '--concurrency', '3', '--timeout', '1h']);
  expect([code, stderr]).toEqual([2, expect.stringContaining('--timeout takes a whole number, not 1h.')]);
});
