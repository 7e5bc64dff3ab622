/** docs/steering.md as it stands: its agent, steered by its curl lines, watched by somebody else. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createClient } from './client/index.ts';
import { find } from './http/programs.fixture.ts';
import type { RunSnapshot, TelltaleEvent } from './protocol/index.ts';

const page = await readFile(new URL('../docs/steering.md', import.meta.url), 'utf8');
const program = /```ts\n([\s\S]*?)```/.exec(page)![1]!;
const [start, ...steps] = /```sh\n([\s\S]*?)```/.exec(page)![1]!.trim().split('\n');

test('each line does what the page says, before the eyes of another viewer, and after a reload', async (context) => {
  if (!find('curl')) return context.skip('curl is not installed');
  const dir = await mkdtemp(join(tmpdir(), 'telltale-steering-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const source = program.replace("'telltale'", JSON.stringify(new URL('./index.ts', import.meta.url).href));
  const server = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source.replace('4747', '0')], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  const url = /http:\S+/.exec(String((await once(createInterface(server.stdout), 'line'))[0]))![0];
  const curl = async (line: string): Promise<unknown> => {
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      line.replace('localhost:4747', url).replace('curl', 'curl -fsS'),
    ]);
    return JSON.parse(stdout);
  };

  await curl(start!);
  const client = createClient({ url });
  onTestFinished(() => client.close());
  const watched: TelltaleEvent[] = [];
  const [pause, approve, resume, input] = steps;
  // What another viewer has seen before each line is sent.
  const script: [seen: string, line: string][] = [
    ['approval.requested', pause!],
    ['run.paused', approve!],
    ['approval.resolved', resume!],
    ['message.completed', input!],
  ];
  for await (const event of client.run('first').events()) {
    watched.push(event);
    if (event.type === script[0]?.[0]) await curl(script.shift()![1]);
  }
  expect(script).toEqual([]);
  expect(watched.map(({ type }) => type).filter((it) => !it.startsWith('tool.'))).toEqual([
    ...['run.started', 'approval.requested', 'control.requested', 'run.paused', 'approval.resolved'],
    ...['control.requested', 'run.resumed', 'message.started', 'message.completed', 'input.received', 'run.completed'],
  ]);
  const deleted = watched.flatMap((it, i) => (it.type === 'tool.called' && it.data.name === 'delete' ? [i] : []));
  expect(deleted).toHaveLength(2);
  expect(deleted[0]).toBeGreaterThan(watched.findIndex(({ type }) => type === 'run.resumed'));

  const reloaded = (await (await fetch(`${url}/v1/runs/first`)).json()) as RunSnapshot;
  expect(reloaded).toMatchObject({
    status: 'completed',
    output: 'You said: No, thank you',
    commands: [
      { command: 'pause', status: 'applied', by: 'ada', reason: 'Let me look at this first' },
      { command: 'resume', status: 'applied', by: 'ada' },
    ],
    approvals: [{ status: 'resolved', decision: 'approve', by: 'ada' }],
  });
}, 30_000);
