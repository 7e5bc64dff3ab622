/** `npm start` and `npm run telltale`: makes the clone ready, then hands over to the command line. */
import { join } from 'node:path';
import { prepare, root, run, say } from './prepare.mjs';

const parent = process.ppid;

try {
  await prepare();
  // npm that is told to end does not tell its scripts: a server left alone would keep its port and its data directory.
  setInterval(() => process.ppid === parent || process.kill(process.pid, 'SIGTERM'), 500).unref();
  process.exitCode = await run('node', [join(root, 'dist', 'cli', 'main.js'), ...process.argv.slice(2)], {
    // Where the user stands, not where the clone is: relative paths in the arguments mean that.
    cwd: process.env.INIT_CWD ?? process.cwd(),
  });
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
