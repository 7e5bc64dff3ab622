import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createApp, type Listening, listen } from '../http/index.ts';
import { Hub } from '../hub/index.ts';
import { openMemory } from '../log/memory.ts';
import { LIMITS, type RunWriter } from '../protocol/index.ts';
import { Runs } from '../runs/index.ts';
import { endAll, runOnce, start } from './process.fixture.ts';

const log = openMemory();
const hub = new Hub(log);
const runs = new Runs(log);
let server: Listening;

beforeAll(async () => {
  const onError = (error: unknown) => {
    throw error;
  };
  const app = createApp({ log, hub, runs, limits: LIMITS, allowedHosts: [], allowedOrigins: [], onError });
  server = await listen(app, { port: 0, host: '127.0.0.1', onError });
  runs.register('walker', async (run: RunWriter) => {
    for (;;) await run.checkpoint();
  });
});
afterEach(endAll);
afterAll(async () => {
  const closed = server.close();
  await hub.close();
  await closed;
  await runs.close();
});

const to = (command: string, ...args: string[]) => [command, ...args, '--url', server.url];
const remote = (runId: string) => runs.start({ agent: 'far', mode: 'remote', runId });

describe('telltale pause, resume and cancel', () => {
  test('wait until the run has followed, and say so; again it is so already', async () => {
    await runs.start({ agent: 'walker', runId: 'walk' });
    const paused = await runOnce(to('pause', 'walk', '--reason', 'Let me look'));
    expect(paused).toEqual({ code: 0, stdout: 'Run walk is paused.\n', stderr: '* Asked run walk to pause.\n' });
    expect(await runOnce(to('pause', 'walk'))).toEqual({ code: 0, stdout: 'Run walk is paused.\n', stderr: '' });
    expect(await runOnce(to('resume', 'walk'))).toMatchObject({ code: 0, stdout: 'Run walk is running.\n' });
    expect(await runOnce(to('cancel', 'walk'))).toMatchObject({ code: 0, stdout: 'Run walk was cancelled.\n' });
    expect(await runOnce(to('cancel', 'walk'))).toMatchObject({ code: 0, stdout: 'Run walk had ended: cancelled.\n' });
    expect(await runOnce(to('resume', 'walk'))).toMatchObject({ code: 1, stdout: 'Run walk had ended: cancelled.\n' });
    expect((await runs.snapshot('walk')).commands).toMatchObject([
      { command: 'pause', by: 'telltale pause', reason: 'Let me look', status: 'applied' },
      { command: 'resume', by: 'telltale resume', status: 'applied' },
      { command: 'cancel', by: 'telltale cancel', status: 'applied' },
    ]);
  });

  test('say why a run refused, in plain text (T6), and how it ended where it ended first', async () => {
    for (const [runId, answer, said] of [
      [
        'busy',
        (commandId: string) => [
          { type: 'control.refused', data: { commandId, error: { code: 'busy', message: 'Not \u001b[2Jnow' } } },
        ],
        'Refused: Not ␛[2Jnow (busy)\n',
      ],
      ['over', () => [{ type: 'run.completed', data: {} }], 'Run over ended first: completed.\n'],
    ] as const) {
      await remote(runId);
      const program = start(to('pause', runId));
      await program.saw(/Asked/, 'stderr');
      const { id } = (await runs.snapshot(runId)).commands[0]!;
      await runs.remote.append(runId, answer(id));
      expect(await program.ended).toMatchObject({ code: 1, stdout: said });
    }
  });

  test('do not wait for ever for a run that does not follow', async () => {
    await remote('silent');
    const program = start(to('cancel', 'silent'));
    await program.saw(/Asked/, 'stderr');
    // A server that is less patient than this one finds it, as it does when it starts.
    const other = new Runs(log, { commandTimeoutMs: 1 });
    await other.commands.recover();
    expect(await program.ended).toMatchObject({
      code: 1,
      stdout: 'Nothing has followed it yet; it may still be. "telltale tail silent" shows when.\n',
    });
    await other.close();
  });

  test.each([
    [['pause'], 2, 'Say which run to pause'],
    [['cancel', 'a', 'b'], 2, 'only one'],
    [['resume', 'nowhere'], 1, 'There is no run'],
  ])('%j is told what is wrong', async ([command = '', ...args], code, said) => {
    const ended = await runOnce(to(command, ...args));
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) });
  });

  test.each(['pause', 'resume', 'cancel'])('%s --help teaches by example', async (command) => {
    const { code, stdout } = await runOnce([command, '--help'], { npm_lifecycle_event: 'telltale' });
    expect([code, stdout]).toEqual([0, expect.stringContaining(`\n  npm run telltale -- ${command} 8k2v0c… --reason`)]);
    expect(Math.max(...stdout.split('\n').map((it) => it.length))).toBeLessThanOrEqual(120);
  });
});
