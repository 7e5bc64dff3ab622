import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { environment, run, say } from './prepare.mjs';

const found = (program) =>
  existsSync(program) ||
  [...process.env.PATH.split(delimiter), '/usr/sbin'].some((folder) => existsSync(join(folder, program)));

/**
 * Installs what is missing of `{program: 'Debian packages'}`, where it may; else says what to install. A program is a
 * name, or the path of a file.
 */
export async function installPrograms(wanted, otherwise) {
  const missing = Object.entries(wanted).filter(([program]) => !found(program));
  if (missing.length === 0) return;
  const packages = missing.flatMap(([, names]) => names.split(' '));
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    say(`Not installed: ${missing.map(([program]) => program).join(', ')}. ${otherwise}`);
    say(`On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}`);
    return;
  }
  say(`Installing Debian packages: ${packages.join(', ')} …`);
  const quiet = { stdio: ['ignore', 'ignore', 2], env: environment({ DEBIAN_FRONTEND: 'noninteractive' }) };
  await run('apt-get', ['update', '-qq'], quiet);
  const code = await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
  if (code !== 0) throw new Error(`apt-get install ${packages.join(' ')} failed (exit code ${code}).`);
}
