import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const exec = promisify(execFile);
const root = join(import.meta.dirname, '..');
const COMMAND = join('node_modules', 'telltale', 'dist', 'cli', 'main.js');
/** The environment without anything that chooses a model. */
const NO_MODEL = { ...process.env, ANTHROPIC_API_KEY: '', OPENAI_API_KEY: '', OPENAI_BASE_URL: '' };

describe('the package, as users install it', () => {
  let project: string;
  let files: string[];

  beforeAll(async () => {
    project = await mkdtemp(join(tmpdir(), 'telltale-package-'));
    const { stdout } = await exec('npm', ['pack', '--json', '--pack-destination', project], { cwd: root });
    // npm before 11 prints a list, later ones an object by package name.
    const [packed] = Object.values(JSON.parse(stdout)) as { filename: string; files: { path: string }[] }[];
    files = packed!.files.map((it) => it.path);
    await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    const args = [
      'install',
      join(project, packed!.filename),
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    await exec('npm', args, { cwd: project });
  }, 120_000);

  afterAll(() => rm(project, { recursive: true, force: true }));

  test('holds every file that its exports and commands name, and no tests', async () => {
    const { exports, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const named = Object.values(exports as Record<string, string | Record<string, string>>)
      .flatMap((it) => (typeof it === 'string' ? [it] : [it.types, it.default]))
      .concat(Object.values(bin as Record<string, string>));
    expect(named.filter((it) => !files.includes(it!.replace('./', '')))).toEqual([]);
    expect(files.filter((it) => /\.(test|fixture)\.|^(src|bench)\//.test(it))).toEqual([]);
  });

  test('runs the ten-line program of the README, which streams a run to curl', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const program = /```ts\n(import [\s\S]*?)```/.exec(readme)?.[1];
    const commands = [...(/```sh\n(curl [\s\S]*?)```/.exec(readme)?.[1] ?? '').matchAll(/^curl .*$/gm)].map(String);
    expect(program?.trim().split('\n').length).toBeLessThanOrEqual(10);
    expect(commands).toHaveLength(2);
    await writeFile(join(project, 'server.ts'), program!);

    const server = spawn(process.execPath, ['server.ts'], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await lineOf(server, /Listening on/);
      await exec('sh', ['-c', `${commands[0]} --fail-with-body`]);
      const { stdout } = await exec('sh', ['-c', `${commands[1]} --silent --max-time 20`]);
      const order = [
        'run.started',
        'reasoning.completed',
        'tool.completed',
        'message.completed',
        'run.completed',
        'stream.bye',
      ];
      const at = order.map((type) => stdout.indexOf(`\nevent: ${type}\n`));
      expect(at.every((position, i) => position > (at[i - 1] ?? 0))).toBe(true);
      expect(stdout).toMatch(/Hello Ada, it is \d{4}-/);
    } finally {
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGKILL');
      await closed;
    }
    expect(existsSync(join(project, '.telltale')), 'the run is on disk').toBe(true);
  }, 60_000);

  test('serves an analyst that answers by rules, without a key and without a provider of models', async () => {
    await writeFile(join(project, 'notes.md'), 'TODO: mend the roof.\n');
    const args = [COMMAND, 'serve', '--port', '0', '--data', 'memory:'];
    const server = spawn(process.execPath, args, { cwd: project, env: NO_MODEL, stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const url = /http:\S+/.exec(await lineOf(server, /listens on/))?.[0] as string;
      const { stdout } = await exec(
        process.execPath,
        [COMMAND, 'run', 'analyst', 'What are the risks?', '--url', url],
        {
          cwd: project,
        },
      );
      expect(stdout).toContain('notes.md:1 “TODO: mend the roof.” (is unfinished)');
    } finally {
      const closed = new Promise((resolve) => server.once('close', resolve));
      server.kill('SIGKILL');
      await closed;
    }
  }, 60_000);

  test('says which package is missing, and how to install it', async () => {
    const serve = (env: object) =>
      exec(process.execPath, [COMMAND, 'serve'], { cwd: project, env: { ...NO_MODEL, ...env } });
    const failed = (name: string) => ({
      code: 2,
      stderr: expect.stringContaining(`The package ${name} is not installed: npm install ${name}@`),
    });
    await expect(serve({ ANTHROPIC_API_KEY: 'none' })).rejects.toMatchObject(failed('@ai-sdk/anthropic'));
    await expect(serve({ OPENAI_API_KEY: 'none' })).rejects.toMatchObject(failed('@ai-sdk/openai'));
    const compatible = { OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', OPENAI_MODEL: 'none' };
    await expect(serve(compatible)).rejects.toMatchObject(failed('@ai-sdk/openai-compatible'));
    // As `npm install --omit=optional` leaves it.
    await rm(join(project, 'node_modules', 'ai'), { recursive: true });
    await expect(serve({})).rejects.toMatchObject(failed('ai'));
  }, 60_000);
});

/** Resolves when the program printed a line like this; rejects when it ended without. */
function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!).on('line', (line) => pattern.test(line) && resolve(line));
    child.once('close', (code) => reject(new Error(`The program ended with ${code}. Is port 4747 taken?`)));
  });
}
