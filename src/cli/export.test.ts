/** A run from one server to another, by the command line. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { readAll } from '../testing/log/kit.ts';
import { endAll, runOnce } from './process.fixture.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
let dir: string;
let from: Telltale;
let to: Telltale;
let fromUrl: string;
let toUrl: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-'));
  from = telltale({ store: 'memory:' });
  to = telltale({ store: join(dir, 'log') });
  [{ url: fromUrl }, { url: toUrl }] = await Promise.all([from.listen(0), to.listen(0)]);
  from.agent('long', async (run) => {
    for (let i = 0; i < 1500; i++) run.custom('n', i);
    await run.agent('Nested \u202e', async (inner) => inner.say('Hello'));
  });
  await (await from.start({ agent: 'long', runId: 'r1', threadId: 't1' })).finished();
});
afterAll(async () => {
  await endAll();
  await Promise.all([from.close(), to.close()]);
  await rm(dir, { recursive: true });
});

/** Imports from standard input. */
async function importText(text: string, ...args: string[]) {
  const child = spawn(process.execPath, [MAIN, 'import', '--url', toUrl, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end(text);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    stderr += piece;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

const stored = async (app: Telltale, threadId: string) =>
  (await readAll(await app.log(), threadId)).map(({ seq: _, epoch: __, threadId: ___, ...event }) => event);

test('telltale export and import: the run is there as it was, from a file or a pipe, and only once', async () => {
  const { code, stdout, stderr } = await runOnce(['export', 'r1', '--url', fromUrl]);
  expect([code, stderr]).toEqual([0, '']);
  // What would not show in a terminal is escaped; to JSON it is the same.
  expect(stdout).not.toContain('\u202e');
  expect(JSON.parse(stdout.split('\n', 1)[0]!)).toEqual({ telltale: 'run', version: 1, runId: 'r1', threadId: 't1' });
  const file = join(dir, 'run.ndjson');
  await writeFile(file, stdout);
  expect(await runOnce(['import', file, '--url', toUrl])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/run r1: \d+ events, completed\n$/),
  });
  expect(await stored(to, 'r1')).toEqual(await stored(from, 't1'));
  const again = await runOnce(['import', file, '--url', toUrl]);
  expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('it was there before')]);
  expect((await importText(await readFile(file, 'utf8'), '--as', 'copy', '--thread', 'both')).code).toBe(0);
  expect(await stored(to, 'both')).toHaveLength((await stored(from, 't1')).length);
});

test('an import that stopped with its server goes on when that is back', async () => {
  const { stdout } = await runOnce(['export', 'r1', '--url', fromUrl]);
  const store = join(dir, 'restarted');
  let server = telltale({ store });
  const half = stdout.split('\n').slice(0, 900).join('\n');
  const first = await importText(`${half}\n`, '--url', (await server.listen(0)).url);
  expect([first.code, first.stderr]).toEqual([1, expect.stringContaining('500 events are stored')]);
  await server.close();
  server = telltale({ store });
  const second = await importText(stdout, '--url', (await server.listen(0)).url);
  expect([second.code, second.stderr]).toEqual([0, expect.stringContaining('completed')]);
  expect(await stored(server, 'r1')).toEqual(await stored(from, 't1'));
  await server.close();
});

test('what cannot be imported or exported is told in words', async () => {
  await from.start({ agent: 'a', runId: 'open', mode: 'remote' });
  const open = await runOnce(['export', 'open', '--url', fromUrl]);
  expect([open.code, open.stderr]).toEqual([0, expect.stringContaining('has not ended')]);
  const huge = `nonsense\n${'{"x":1}\n'.repeat(500_000)}`;
  const away = ['--url', 'http://127.0.0.1:1'];
  const refused = [
    [importText(open.stdout), 1, 'ends before its run does'],
    [importText('nonsense\n'), 1, 'Line 1 is not valid JSON'],
    [importText(huge), 1, 'Line 1 is not valid JSON'],
    [runOnce(['import', join(dir, 'nothing')]), 2, 'cannot be read'],
    [runOnce(['import', join(dir, 'run.ndjson'), ...away]), 1, 'does not answer'],
    [runOnce(['export', 'nobody', '--url', fromUrl]), 1, 'There is no run'],
    [runOnce(['export']), 2, 'Say which run'],
  ] as const;
  for (const [ended, code, text] of refused) {
    expect(await ended).toMatchObject({ code, stderr: expect.stringContaining(text) });
  }
});
