import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endAll, runOnce, start, startServer } from './process.fixture.ts';

const AGENTS = `
export default {
  deploys: async (run) => (await run.approve({ prompt: 'Deploy?' })).decision,
  chooses: async (run) => (await run.approve({ prompt: 'When?', options: ['now', 'tonight'] })).decision,
  twice: async (run) => Promise.all(['One?', 'Two?'].map((prompt) => run.approve({ prompt }))),
  listens: async (run) => { for await (const { input } of run.inputs()) return input; },
  hostile: async (run) => {
    run.emit('approval.requested', { approvalId: '$(reboot) --url=http://evil', prompt: '\\u001b[2J?', options: ['deny'] });
    await run.approve({ prompt: 'Go on?' });
  },
};
`;

describe('telltale approve, deny and input', () => {
  let root: string;
  let url: string;

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'telltale-answer-'));
    writeFileSync(join(root, 'agents.mjs'), AGENTS);
    ({ url } = await startServer([join(root, 'agents.mjs'), '--port', '0', '--data', 'memory:']));
  });
  afterAll(async () => {
    await endAll();
    rmSync(root, { recursive: true, force: true });
  });

  /** A run that is watched in another terminal, once it waits. */
  async function waiting(agent: string) {
    const program = start(['run', agent, 'x', '--url', url]);
    const [, runId = ''] = await program.saw(/run (\w+)/);
    await program.saw(/waits for an answer/, 'stderr');
    return { program, runId };
  }
  const tell = (...args: string[]) => runOnce([...args, '--url', url]);

  test('who watches is told what to type, and typing it lets the run go on', async () => {
    const { program, runId } = await waiting('deploys');
    await program.saw(
      new RegExp(`waits for an answer: telltale approve ${runId} approval-1, or telltale deny ${runId} approval-1\n`),
      'stderr',
    );
    expect(await tell('approve', runId, 'approval-1', '--comment', 'Looks good')).toEqual({
      code: 0,
      stdout: 'Answered approve: Deploy?\n',
      stderr: '',
    });
    const { code, stdout } = await program.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}\? Deploy\? approve \/ deny\n {2}· approve by telltale approve: Looks good\n/);
    // Nobody is told to answer what has been answered.
    expect((await tell('tail', runId)).stderr).toBe('');
    const again = await tell('deny', runId, 'approval-1');
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('answered "approve" by telltale approve')]);
    expect(await tell('approve', runId)).toMatchObject({
      code: 1,
      stderr: `Run ${runId} (completed) asks nothing now.\n`,
    });
  });

  test('without a question it is the one that waits; options of its own are chosen by name', async () => {
    const { program, runId } = await waiting('chooses');
    const deny = await tell('deny', runId);
    expect([deny.code, deny.stderr]).toEqual([2, expect.stringContaining('now / tonight')]);
    expect(await tell('approve', runId, '--decision', 'tonight')).toMatchObject({
      code: 0,
      stdout: 'Answered tonight: When?\n',
    });
    expect((await program.ended).code).toBe(0);
  });

  test('where several wait they are listed, and nothing is answered', async () => {
    const { program, runId } = await waiting('twice');
    await program.saw(/approval-2/, 'stderr');
    expect(await tell('approve', runId)).toEqual({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/more than one thing[\s\S]* {2}approval-1 {2}One\?[\s\S]* {2}approval-2 {2}Two\?/),
    });
    for (const id of ['approval-2', 'approval-1']) expect((await tell('deny', runId, id)).code).toBe(0);
    expect((await program.ended).code).toBe(0);
  });

  test('what is shown to be typed holds nothing of a producer that a shell would follow', async () => {
    const { program, runId } = await waiting('hostile');
    await program.saw(/approval-1/, 'stderr');
    program.child.kill('SIGINT');
    const { stderr } = await program.ended;
    expect(stderr).toContain(`telltale approve ${runId}, or telltale deny ${runId}\n`);
    expect(stderr).not.toMatch(/reboot|evil/);
  });

  test('input is said in words, or from standard input', async () => {
    const words = start(['run', 'listens', 'x', '--url', url]);
    const [, first = ''] = await words.saw(/run (\w+)/);
    expect(await tell('input', first, 'last', 'quarter')).toMatchObject({
      code: 0,
      stdout: `Said to run ${first}: event 2.\n`,
    });
    expect((await words.ended).stdout).toContain('← last quarter by telltale input');

    const piped = start(['run', 'listens', 'x', '--url', url]);
    const [, second = ''] = await piped.saw(/run (\w+)/);
    const main = join(import.meta.dirname, 'main.ts');
    spawn(process.execPath, [main, 'input', second, '-', '--url', url], {
      stdio: ['pipe', 'ignore', 'inherit'],
    }).stdin.end('two\nlines\n');
    expect((await piped.ended).code).toBe(0);
    expect(await (await fetch(`${url}/v1/runs/${second}`)).json()).toMatchObject({ output: 'two\nlines' });
    expect((await tell('input', second, 'more')).code).toBe(1);
    expect((await tell('input', second)).code).toBe(2);
  });
});
