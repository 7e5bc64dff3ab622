import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { readAll } from '../testing/log/kit.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
let app: Telltale;
let url: string;
beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  ({ url } = await app.listen(0));
});
afterAll(() => app.close());

/** Emits these lines; the input stays open where it is `endless`. */
async function emit(args: readonly string[], input: string, endless = false) {
  const child = spawn(process.execPath, [MAIN, 'emit', ...args, '--url', url], { stdio: ['pipe', 'ignore', 'pipe'] });
  child.stdin.on('error', () => {});
  if (endless) child.stdin.write(input);
  else child.stdin.end(input);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

const status = (text: string) => `${JSON.stringify({ type: 'status.updated', data: { status: text } })}\n`;
const eventsOf = async (threadId: string) => (await readAll(await app.log(), threadId)).slice(1);

test('telltale emit --new: opens a run, stores every line and completes it', async () => {
  const { code, stderr } = await emit(['--new', 'builder', '--lease', '60'], `${status('a')}\n${status('b')}`);
  const runId = /run (\S+)/.exec(stderr)![1]!;
  expect([code, stderr]).toEqual([0, expect.stringMatching(/telltale: 3 stored\n$/)]);
  const events = await eventsOf(runId);
  expect(events.map(({ type }) => type)).toEqual(['status.updated', 'status.updated', 'run.completed']);
});

test('telltale emit <run>: leaves it open; an end in the input is its end', async () => {
  await app.start({ agent: 'a', runId: 'r', mode: 'remote' });
  expect((await emit(['r'], status('a'))).code).toBe(0);
  expect((await emit(['r'], `${status('b')}{"type":"run.completed","data":{}}\n`)).code).toBe(0);
  expect((await eventsOf('r')).map(({ type }) => type)).toEqual(['status.updated', 'status.updated', 'run.completed']);
  expect(await emit(['r'], status('c'))).toMatchObject({ code: 1, stderr: expect.stringContaining('has ended') });
});

test('what is no event is told with its line, at once', async () => {
  await app.start({ agent: 'a', runId: 's', mode: 'remote' });
  const { code, stderr } = await emit(['s'], `${status('a')}nonsense\n`, true);
  expect([code, stderr]).toEqual([1, expect.stringContaining('Line 2 is not valid JSON')]);
  expect(await emit([], '')).toMatchObject({ code: 2 });
  expect(await emit(['s', '--new', 'x'], '')).toMatchObject({ code: 2 });
});
