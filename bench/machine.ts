import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { nchanVersion } from './contenders/index.ts';

/** What figures depend on, as lines of text. */
export function machine(): readonly string[] {
  const require = createRequire(import.meta.url);
  const sse = require('./package.json').dependencies['better-sse'];
  const output = (command: string, ...args: string[]): string =>
    execFileSync(command, args, { encoding: 'utf8' }).trim();
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const files = connectionLimit();
  const control = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim();
  return [
    `${cpus().length} cores (${cpus()[0]?.model}), ${Math.round(totalmem() / 2 ** 30)} GiB; server on one, load on another`,
    `${system}, kernel ${release().split('-')[0]}, ${control}, ${output('df', '--output=fstype', tmpdir()).split('\n')[1]} under the disk store, ${files} connections per process`,
    `Node ${process.versions.node}, telltale ${require('telltale/package.json').version} (built), better-sse ${sse}, ${nchanVersion()}, ${output('cc', '--version').split('\n')[0]}`,
    `load average at the start: ${loadavg()[0]?.toFixed(2)}`,
  ];
}

/** How many connections one process may hold, less what it needs for itself. Node raised it as far as it may. */
export function connectionLimit(): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return Number(limit ?? 1_024) - 200;
}
