import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from './http/chromium.fixture.ts';
import { telltale } from './index.ts';

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

  test('depends on what CONTRIBUTING.md gives a reason for, and a project that installs it gets no more', async () => {
    const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
      await readFile(join(root, 'package.json'), 'utf8'),
    );
    const contributing = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
    const reasons = contributing.split('\n').filter((line) => /^\| .*`.* \| .+ \|$/.test(line));
    const explained = (name: string, how: RegExp) =>
      reasons.some((line) => line.split(' | ')[0]!.includes(`\`${name}\``) && how.test(line.split(' | ')[0]!));
    const own = Object.keys(dependencies);
    expect(own.filter((name) => !explained(name, /^(?!.*\((?:dev|bench|optional))/))).toEqual([]);
    const optional = Object.keys({ ...optionalDependencies, ...peerDependencies });
    expect(optional.filter((name) => !explained(name, /\(/))).toEqual([]);
    const peers = Object.keys(peerDependencies);
    expect(peers.filter((name) => existsSync(join(project, 'node_modules', name)))).toEqual([]);
  });

  test('holds every file that its exports and commands name, and no tests', async () => {
    const { exports, bin } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const named = Object.values(exports as Record<string, string | Record<string, string>>)
      .flatMap((it) => (typeof it === 'string' ? [it] : [it.types, it.default]))
      .concat(Object.values(bin as Record<string, string>));
    expect(named.filter((it) => !files.includes(it!.replace('./', '')))).toEqual([]);
    expect(files.filter((it) => /\.(test|fixture)\.|^(src|bench|examples|console)\//.test(it))).toEqual([]);
    expect(files).toContain('dist/console/index.html');
    expect(files.filter((it) => /^dist\/console\/assets\/index-.*\.(js|css)\.(br|gz)$/.test(it))).toHaveLength(4);
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
      expect(await (await fetch(url)).text(), 'the console').toContain('<title>Telltale</title>');
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

  describe('in a page, as Vite builds it', () => {
    let code: string;
    let modules: string[];

    beforeAll(async () => {
      const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
      const doors = ['./client', './react', './rxjs'].filter((it) => it in exports);
      const imports = doors.map((it, i) => `import * as door${i} from 'telltale/${it.slice(2)}';`);
      const main = `${imports.join('\n')}\nglobalThis.doors = Object.assign({}, ${doors.map((_, i) => `door${i}`)});`;
      await writeFile(join(project, 'main.js'), main);
      // The peers are the repository's own.
      const peers = ['react', 'react-dom', 'rxjs'].map((name) => [name, join(root, 'node_modules', name)]);
      const built = (await build({
        configFile: false,
        root: project,
        logLevel: 'silent',
        resolve: { alias: Object.fromEntries(peers) },
        build: {
          ...{ write: false, modulePreload: false },
          // In one script, also what is loaded where it is needed: the page below has nowhere to load it from.
          rolldownOptions: { input: join(project, 'main.js'), output: { codeSplitting: false } },
        },
      })) as Rolldown.RolldownOutput;
      const chunks = built.output.filter((it) => it.type === 'chunk');
      code = chunks.map((it) => it.code).join('\n');
      modules = chunks.flatMap((it) => Object.keys(it.modules).filter((id) => it.modules[id]!.renderedLength > 0));
    }, 60_000);

    test('no server module comes with the client and what stands on it', () => {
      const ours = modules.flatMap((id) => /node_modules\/telltale\/dist\/(.*)/.exec(id)?.[1] ?? []);
      expect(ours).toContain('client/client.js');
      expect(ours.filter((it) => !/^(protocol|client|react|rxjs)\//.test(it))).toEqual([]);
      expect(
        modules.filter((id) =>
          /node_modules\/(hono|@hono|classic-level|zod)\/|^node:|__vite-browser-external/.test(id),
        ),
      ).toEqual([]);
      expect(code).not.toMatch(/["'`]node:|hono|classic-level|ZodError/);
    });

    test.skipIf(!executablePath)('it runs in Chromium', async () => {
      const app = telltale({ store: 'memory:' });
      app.agent('greeter', (run, name) => run.say(`Hello ${name}.`));
      const { url } = await app.listen(0);
      const browser = await openChromium();
      try {
        const page = await browser.newPage();
        await page.goto(`${url}/healthz`);
        await page.addScriptTag({ content: code, type: 'module' });
        await page.waitForFunction(() => 'doors' in globalThis);
        const texts = await page.evaluate(async () => {
          const { createClient, run$ } = (globalThis as unknown as { doors: Doors }).doors;
          const client = createClient({ url: '/' });
          const { runId } = await client.start({ agent: 'greeter', input: 'Ada' });
          return new Promise<string[]>((resolve, error) => {
            let texts: string[] = [];
            run$(client, runId).subscribe({
              next: ({ messages }) => {
                texts = messages.map(({ text }) => text);
              },
              error,
              complete: () => resolve(texts),
            });
          });
        });
        expect(texts).toEqual(['Hello Ada.']);
      } finally {
        await browser.close();
        await app.close();
      }
    });
  });
});

type Doors = Pick<typeof import('./client/index.ts'), 'createClient'> & Pick<typeof import('./rxjs/index.ts'), 'run$'>;

/** Resolves when the program printed a line like this; rejects when it ended without. */
function lineOf(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!).on('line', (line) => pattern.test(line) && resolve(line));
    child.once('close', (code) => reject(new Error(`The program ended with ${code}. Is port 4747 taken?`)));
  });
}
