/** What docs/doors/*.md tell people to type, typed as it stands there. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { has } from '../programs.fixture.ts';
import { FrontEnd } from './front-end.fixture.ts';

const exec = promisify(execFile);
const root = join(import.meta.dirname, '../../..');

let app: Telltale;
let url: string;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-'));
  app = telltale({ store: 'memory:' });
  app.agent('researcher', (_run, task) => `Of: ${task}`);
  ({ url } = await app.listen(0));
});
afterAll(async () => {
  await app.close();
  await rm(dir, { recursive: true });
});

/** The blocks of a page in `language`, with the address of this server. */
async function blocks(page: string, language: string): Promise<readonly string[]> {
  const text = await readFile(join(root, 'docs/doors', page), 'utf8');
  const found = [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))];
  return found.map(([, block]) => block!.trim().replaceAll('http://127.0.0.1:4747', url));
}

const commandOf = (all: readonly string[], part: string) =>
  all.find((it) => it.startsWith('curl') && it.includes(part))!;

test.skipIf(!has('python3') || !has('curl'))('agent-activity.md: the emitter in Python, and curl', async () => {
  const [emitter, calls] = await blocks('agent-activity.md', 'python');
  await mkdir(join(dir, 'utils'));
  await copyFile(join(root, 'python/telltale.py'), join(dir, 'telltale.py'));
  await writeFile(join(dir, 'utils/sse_emitter.py'), emitter!);
  await writeFile(join(dir, 'work.py'), calls!);
  const frontEnd = new FrontEnd(`${url}/sse/agent-activity/session-123`, ['agentActivity']);
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', no_proxy: '*' };
  await exec('python3', ['work.py'], { cwd: dir, env });
  await exec('sh', ['-c', `${commandOf(await blocks('agent-activity.md', 'sh'), 'session-123')} --fail --silent`]);
  await until(() => frontEnd.heard.length === 2);
  frontEnd.close();
  const { id: _, ...said } = frontEnd.heard[0]!;
  const { timestamp, ...data } = said.data;
  expect(timestamp).toEqual(expect.any(String));
  expect(data).toEqual({
    ...{ session_id: 'session-123', agent_name: 'Document Agent', action: 'Processing document' },
    ...{ status: 'in-progress', details: 'Analyzing PDF content' },
  });
  expect(frontEnd.heard[1]!.data).toMatchObject(data);
});

test.skipIf(!has('curl'))('workflow.md: a task is started with curl, and its stream leads to its result', async () => {
  const command = commandOf(await blocks('workflow.md', 'sh'), '/tasks')
    .replace(/^#.*$/gm, '')
    .trim();
  const { stdout } = await exec('sh', ['-c', `${command} --fail --silent`]);
  const task = JSON.parse(stdout);
  expect(Object.keys(task)).toEqual(['id', 'task_id', 'agent_id', 'status', 'events_url']);
  const frontEnd = new FrontEnd(url + task.events_url, ['WorkflowCompleted']);
  await until(() => frontEnd.heard.length === 1);
  frontEnd.close();
  expect(frontEnd.heard[0]!.data.result).toBe('Of: Why is the sky blue?');
});

test.skipIf(!has('curl'))('execution.md: a task is started, watched and cancelled with curl', async () => {
  const block = commandOf(await blocks('execution.md', 'sh'), '/execute');
  const [start, watch, cancel] = block.split('\n').filter((line) => line.startsWith('curl'));
  const { stdout } = await exec('sh', ['-c', `${start} --fail --silent`]);
  const { executionId, eventsUrl } = JSON.parse(stdout);
  const watched = await exec('sh', ['-c', watch!.replace(/[^/]+…/, executionId)]);
  expect(watch!.replace(/[^/]+…/, executionId)).toContain(eventsUrl);
  expect(watched.stdout).toMatch(/event: execution:complete\ndata: .*"result":"Of: Create a landing page"/);
  const cancelled = await exec('sh', ['-c', `${cancel!.replace(/[^/]+…/, executionId)} --fail --silent`]);
  expect(JSON.parse(cancelled.stdout)).toMatchObject({ status: 'completed' });
});

test.skipIf(!has('curl'))('chat.md: a question is asked with curl', async () => {
  const { stdout } = await exec('sh', ['-c', commandOf(await blocks('chat.md', 'sh'), '/chat/')]);
  expect(stdout).toMatch(/event: connected\n[\s\S]*"content":"Of: test"[\s\S]*event: done\n/);
});
