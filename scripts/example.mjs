/** `npm run example -- <door>`: makes the clone ready and starts an example; Ctrl-C stops it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root, run, say } from './prepare.mjs';

const examples = join(root, 'examples');
const server = (name) => join(examples, name, 'server.ts');
const [name = '', port = process.env.PORT || '4747', ...args] = process.argv.slice(2);

try {
  const names = readdirSync(examples).filter((it) => existsSync(server(it)));
  if (!names.includes(name)) throw new Error(`npm run example -- <name> [port]\nThere are: ${names.join(', ')}.`);
  await prepare();
  const log = join(root, '.telltale', 'examples', name);
  // npm that is told to end does not tell its scripts.
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGTERM'), 500).unref();
  const code = await run('node', ['--conditions=telltale-source', server(name), port, log, ...args]);
  // Ctrl-C is how it ends.
  process.exitCode = code === 130 || code === 143 ? 0 : code;
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
