/**
 * `npm test`: installs what the tests use, checks types and style, runs every test, counts aloud.
 * `npm test -- --long` adds the long tiers; anything else is handed to vitest (`npm test -- src/hub`).
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { environment, prepare, root, run, say } from './prepare.mjs';
import { installPrograms } from './programs.mjs';

/** Debian packages behind the tests that use real browsers, proxies and tools. */
const PROGRAMS = { chromium: 'chromium', nginx: 'nginx-light', curl: 'curl', git: 'git', openssl: 'openssl' };

/**
 * Other runtimes that the stream cases run in, and Next.js. Only tests need them, so they are not installed with the
 * packages (100 MB each, Next.js 340); and npm writes no lockfile with Deno's package that `npm ci` would take.
 */
const RUNTIMES = { bun: '1.4.5', deno: '2.9.6', next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' };
const runtimes = join(root, 'node_modules', '.runtimes');

async function installRuntimes() {
  const wanted = Object.entries(RUNTIMES).map(([name, version]) => `${name}@${version}`);
  const stamp = join(runtimes, wanted.join('+'));
  if (existsSync(stamp)) return;
  say(`Installing ${wanted.join(', ')} …`);
  mkdirSync(runtimes, { recursive: true });
  const allowScripts = Object.fromEntries(Object.keys(RUNTIMES).map((name) => [name, true]));
  writeFileSync(join(runtimes, 'package.json'), JSON.stringify({ private: true, allowScripts }));
  const args = ['install', ...wanted, '--no-package-lock', '--loglevel=error', '--no-fund', '--no-audit'];
  const code = await run('npm', args, { cwd: runtimes, stdio: ['ignore', 2, 2] });
  if (code === 0) writeFileSync(stamp, '');
  else say(`${wanted.join(', ')} could not be installed. Tests that need them will be skipped.`);
}

const CHECKS = {
  Types: ['tsc', '-p', 'tsconfig.json'],
  'Types of bench': ['tsc', '-p', 'bench'],
  'Types of examples': ['tsc', '-p', 'examples'],
  'Types of the console': ['tsc', '-p', 'console'],
  Style: ['biome', 'check', '--error-on-warnings'],
};

/** All of them at once, beside an installation that waits for the network; what one of them finds is told in one piece. */
async function check() {
  const failed = [];
  const checks = Object.entries(CHECKS).map(async ([title, [command, ...args]]) => {
    const options = { cwd: root, env: environment(), maxBuffer: 64 * 1024 * 1024 };
    const { code = 0, stdout, stderr } = await promisify(execFile)(command, args, options).catch((error) => error);
    say(`${title}: ${code === 0 ? 'good' : `failed.\n${stdout}${stderr}`}`);
    if (code !== 0) failed.push(title);
  });
  await Promise.all(checks);
  if (failed.length > 0) throw new Error(`${failed.join(', ')}: failed.`);
}

try {
  const args = process.argv.slice(2);
  await prepare();
  await installPrograms(PROGRAMS, 'Tests that need them will be skipped.');
  await Promise.all([installRuntimes(), check()]);
  const env = environment(args.includes('--long') ? { TELLTALE_LONG: '1' } : {});
  // Several hundred processes load the same sources: without it each strips and compiles them again (0.4 s, with it 0.2).
  env.NODE_COMPILE_CACHE = join(root, 'node_modules', '.cache', 'compiled');
  env.PATH = `${env.PATH}${delimiter}${join(runtimes, 'node_modules', '.bin')}`;
  process.exitCode = await run('vitest', ['run', ...args.filter((arg) => arg !== '--long')], { env });
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
