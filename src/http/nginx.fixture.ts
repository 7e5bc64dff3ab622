/** A real nginx as it is installed, in front of a server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Nginx {
  readonly port: number;
  /** Goes on with other directives, as an operator would: connections that there are keep the old ones. */
  reload(server: (port: number) => string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts `program`; `server` writes the directives of its one server block for the port that it is given. */
export async function startNginx(program: string, server: (port: number) => string): Promise<Nginx> {
  const dir = await mkdtemp(join(tmpdir(), 'telltale-nginx-'));
  // Started by root, its worker is another user, who keeps long bodies in here.
  await chmod(dir, 0o711);
  const port = await freePort();
  const write = (text: string) => writeFile(join(dir, 'nginx.conf'), config(dir, text));
  await write(server(port));
  const nginx = spawn(program, ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')], { stdio: 'ignore' });
  const reload: Nginx['reload'] = async (next) => {
    await write(next(port));
    nginx.kill('SIGHUP');
  };
  const stop = async () => {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
    await rm(dir, { recursive: true, force: true });
  };
  while (!(await isListening(port))) {
    if (nginx.exitCode !== null) throw new Error(await readFile(join(dir, 'error.log'), 'utf8'));
  }
  return { port, reload, stop };
}

function config(dir: string, server: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((it) => `${it}_temp_path ${dir}/${it};`);
  return `daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log; events {}
http { access_log off; ${temp.join(' ')} server { ${server} } }`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
