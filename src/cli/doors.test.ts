import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { doorsOf } from './doors.ts';
import { endAll, runOnce, startServer } from './process.fixture.ts';

let root: string;
let agents: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'telltale-cli-doors-'));
  agents = join(root, 'agents.mjs');
  writeFileSync(agents, 'export default { one: async () => "1", two: async (run) => run.say("I am two.") };');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(endAll);

test('telltale serve opens all doors, but for those that are off; each starts the agent that is named for it', async () => {
  const { port } = await startServer([
    ...[agents, '--port', '0', '--data', 'memory:'],
    ...['--door', 'chat=two', '--door', 'execution=off'],
  ]);
  const at = (path: string) => `http://127.0.0.1:${port}${path}`;
  const stream = await fetch(at('/api/chat/stream?message=hi'), { headers: { accept: 'text/event-stream' } });
  expect(await stream.text()).toContain('I am two.');
  const body = JSON.stringify({ task: 'x' });
  const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } };
  expect((await fetch(at('/api/agent/execute'), init)).status).toBe(404);
  const thinking = await fetch(at('/api/conversations/c1/thinking'));
  expect(thinking.headers.get('content-type')).toContain('text/event-stream');
  await thinking.body!.cancel();
});

test('the environment says the same; a flag counts more', () => {
  const env = { TELLTALE_DOORS: 'chat=one, thinking=off' };
  expect(doorsOf(undefined, env, ['one', 'two'])).toEqual({ chat: { agent: 'one' }, thinking: false });
  expect(doorsOf(['chat=two'], env, ['one', 'two'])).toEqual({ chat: { agent: 'two' } });
  expect(doorsOf(undefined, {}, ['one'])).toEqual({});
  const both = doorsOf(['chat=two', 'thinking=off'], {}, ['one', 'two'], 'one');
  expect(both).toMatchObject({ chat: { agent: 'two' }, thinking: false, execution: { agent: 'one' } });
});

test.each([
  ['chat', 'takes a door and an agent, as in chat=one'],
  ['chat=three', 'no agent three is served. There are one, two.'],
  ['attic=off', 'there is no "attic"'],
])('says what is wrong with %s', async (door, problem) => {
  const { code, stderr } = await runOnce(['serve', agents, '--port', '0', '--data', 'memory:', '--door', door]);
  expect([code, stderr]).toEqual([2, expect.stringContaining(problem)]);
});
