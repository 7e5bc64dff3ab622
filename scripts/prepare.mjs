/**
 * Makes a clone ready to run: installs what the lockfile names and builds what changed. Runs under whatever Node started
 * npm (20.19 or newer), so it is plain JavaScript with nothing but Node's own modules. All it says goes to stderr.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');
const at = (...parts) => join(root, ...parts);

/** Environment in which the project's own Node comes first. */
export const environment = (extra = {}) => ({
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH}`,
  ...extra,
});

export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a program to its end; resolves with its exit code. Signals meant for us reach it too. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', env: environment(), ...options });
    const forward = (signal) => child.kill(signal);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(signal ? 128 + (signal === 'SIGINT' ? 2 : 15) : code);
    });
  });
}

/** @throws when the step fails, naming it. */
async function step(title, command, args, options) {
  const start = Date.now();
  say(`${title} …`);
  // Output of a step belongs to the progress, not to the result: stdout goes to stderr.
  const code = await run(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (code !== 0) throw new Error(`${title} failed (exit code ${code}).`);
  say(`${title}: ${((Date.now() - start) / 1000).toFixed(1)} s`);
}

/** Installs and builds what is missing or out of date. A second call finds nothing to do. */
export async function prepare() {
  const free = await lock();
  try {
    await install();
    await build();
  } finally {
    free();
  }
}

/** The console alone, as its tests need it. */
export async function prepareConsole() {
  const free = await lock();
  try {
    await buildConsole();
  } finally {
    free();
  }
}

async function install() {
  const wanted = hash(readFileSync(at('package-lock.json')));
  const stamp = at('node_modules', '.telltale-installed');
  if (read(stamp) === wanted) return;
  const npm = process.env.npm_execpath;
  const call = (node, args) => (npm ? [node, [npm, ...args]] : ['npm', args]);
  // An older Node makes npm skip optional packages (compilers, linters) that declare a newer one, so the project's own
  // Node is fetched first and does the installing. It runs from a copy: npm ci begins by removing node_modules.
  const own = isCurrent() ? undefined : mkdtempSync(join(tmpdir(), 'telltale-node-'));
  try {
    let node = process.execPath;
    if (own) {
      const version = JSON.parse(readFileSync(at('package-lock.json'), 'utf8')).packages['node_modules/node'].version;
      writeFileSync(join(own, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }));
      const args = [
        'install',
        `node@${version}`,
        '--no-save',
        '--no-package-lock',
        '--loglevel=error',
        '--no-fund',
        '--no-audit',
      ];
      await step(`Fetching Node ${version} (this one is ${process.versions.node})`, ...call(node, args), { cwd: own });
      node = join(own, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    }
    const path = own ? `${join(own, 'node_modules', '.bin')}${delimiter}${process.env.PATH}` : process.env.PATH;
    const args = ['ci', '--loglevel=error', '--no-fund', '--no-audit'];
    await step('Installing packages', ...call(node, args), { env: { ...process.env, PATH: path } });
  } finally {
    if (own) rmSync(own, { recursive: true, force: true });
  }
  writeFileSync(stamp, wanted);
}

/** Whether the Node that runs this is one the packages are made for. */
function isCurrent() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

/** The rooms of src/ that the console is built from. */
const SHOWN = ['protocol', 'dialects', 'client', 'react'];

async function build() {
  const code = [...filesIn('src'), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  await unlessBuilt(at('dist'), code, async () => {
    // The console's folder is its own build's.
    const built = existsSync(at('dist')) ? readdirSync(at('dist')) : [];
    for (const name of built.filter((it) => it !== 'console')) rmSync(at('dist', name), { recursive: true });
    await step('Building', join(bin, 'tsc'), ['-p', 'tsconfig.build.json']);
  });
  await buildConsole();
}

async function buildConsole() {
  const shown = SHOWN.flatMap((room) => filesIn(join('src', room)));
  await unlessBuilt(at('dist', 'console'), [...filesIn('console'), ...shown, 'package-lock.json'], () =>
    step('Building the console', join(bin, 'vite'), ['build', 'console', '--logLevel', 'warn'], {
      // Whatever it is called from: tests have another environment, in which React is three times as large.
      env: environment({ NODE_ENV: 'production' }),
    }),
  );
}

/** Makes a folder out of files, unless it was made of the same. */
async function unlessBuilt(folder, files, make) {
  const stamp = join(folder, '.telltale-built');
  const wanted = hash(...files.map((file) => `${file} ${statSync(at(file)).mtimeMs} ${statSync(at(file)).size}\n`));
  if (read(stamp) === wanted) return;
  await make();
  writeFileSync(stamp, wanted);
}

/** Every file that something may be built of, in order. */
function filesIn(folder) {
  return readdirSync(at(folder), { recursive: true })
    .filter((file) => /\.(?:tsx?|css|html|js|svg|png|woff2)$/.test(file) && !file.startsWith('node_modules'))
    .sort()
    .map((file) => join(folder, file));
}

/** One preparation at a time: `npm start` in one terminal and `npm run telltale` in the next must not race. */
async function lock() {
  const file = at('.telltale-preparing');
  // Linked when it is whole: between making a file and writing who it is of, another would take it for a dead one's.
  const mine = `${file}-${process.pid}`;
  writeFileSync(mine, String(process.pid));
  for (let told = false; ; told = true) {
    try {
      linkSync(mine, file);
      rmSync(mine);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(Number(read(file)))) rmSync(file, { force: true });
    else {
      if (!told) say('Another command is preparing this folder; waiting for it …');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

const hash = (...parts) => parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest('hex');

function read(file) {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
