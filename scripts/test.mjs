/**
 * `npm test`: installs what the tests use, checks types and style, runs every test, counts aloud.
 * `npm test -- --long` adds the long tiers; anything else is handed to vitest (`npm test -- src/hub`).
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { environment, prepare, run, say } from './prepare.mjs';

/** Debian packages behind the tests that use real browsers, proxies and tools. */
const PROGRAMS = { chromium: 'chromium', nginx: 'nginx-light', curl: 'curl', git: 'git' };

const found = (program) =>
  [...process.env.PATH.split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, program)));

async function installPrograms() {
  const missing = Object.entries(PROGRAMS).filter(([program]) => !found(program));
  if (missing.length === 0) return;
  const packages = missing.map(([, name]) => name);
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    say(`Not installed: ${missing.map(([program]) => program).join(', ')}. Tests that need them will be skipped.`);
    say(`On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`);
    return;
  }
  say(`Installing Debian packages: ${packages.join(', ')} …`);
  const quiet = { stdio: ['ignore', 'ignore', 2], env: environment({ DEBIAN_FRONTEND: 'noninteractive' }) };
  await run('apt-get', ['update', '-qq'], quiet);
  const code = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
  if (code !== 0) throw new Error(`apt-get install ${packages.join(' ')} failed (exit code ${code}).`);
}

async function check(title, command, args) {
  say(`${title} …`);
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${title}: failed.`);
}

try {
  const args = process.argv.slice(2);
  const env = environment(args.includes('--long') ? { TELLTALE_LONG: '1' } : {});
  await prepare();
  await installPrograms();
  await check('Types', 'tsc', ['-p', 'tsconfig.json']);
  await check('Style', 'biome', ['check', '--error-on-warnings']);
  process.exitCode = await run('vitest', ['run', ...args.filter((arg) => arg !== '--long')], { env });
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
