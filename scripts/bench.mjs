/** `npm run bench`: makes the clone ready, installs what the benchmark compares with, and hands over to bench/. */
import { join } from 'node:path';
import { prepare, root, run, say } from './prepare.mjs';
import { installPrograms } from './programs.mjs';

/** The C compiler builds the load programs: without it nothing runs. nginx with nchan is a contender, Chromium the client's. */
const PROGRAMS = {
  cc: 'gcc libc6-dev',
  '/usr/sbin/nginx': 'nginx-light',
  '/usr/lib/nginx/modules/ngx_nchan_module.so': 'libnginx-mod-nchan',
  chromium: 'chromium',
};

try {
  await prepare();
  await installPrograms(
    PROGRAMS,
    'nchan is left out without nginx and its module, pages without Chromium; without a C compiler nothing runs.',
  );
  process.exitCode = await run('node', [join(root, 'bench', 'main.ts'), ...process.argv.slice(2)]);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
