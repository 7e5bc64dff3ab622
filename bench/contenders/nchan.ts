import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Child, SERVER_CORE } from '../measure/child.ts';
import type { Contender } from './contender.ts';

const NGINX = '/usr/sbin/nginx';
const NCHAN_MODULE = '/usr/lib/nginx/modules/ngx_nchan_module.so';

/** nginx with nchan, as Debian packages both: one worker, history in shared memory. */
export const nchan: Contender = {
  name: 'nchan',
  keeps: 'memory',
  async start(_load, folder) {
    const port = await freePort();
    const file = join(folder, 'nginx.conf');
    writeFileSync(file, config(folder, port));
    const child = new Child(NGINX, ['-c', file, '-e', join(folder, 'error.log')], { core: SERVER_CORE });
    await answering(`http://127.0.0.1:${port}/ready`, child);
    return {
      pid: child.pid,
      port,
      open: async () => {},
      viewPath: (run) => `/view/${run}`,
      intake: { mode: 'post', path: (run) => `/publish/${run}` },
      stop: () => child.stop(),
    };
  },
};

export const hasNchan = (): boolean => existsSync(NGINX) && existsSync(NCHAN_MODULE);

/** As Debian numbers its package. */
export function nchanVersion(): string {
  if (!hasNchan()) return 'nchan is left out: install nginx-light and libnginx-mod-nchan';
  const { stdout } = spawnSync('dpkg-query', ['-W', 'libnginx-mod-nchan'], { encoding: 'utf8' });
  return `nchan ${stdout?.trim().split('\t')[1] ?? 'of a version that dpkg does not know'}`;
}

function config(folder: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  // nchan's buffer is as long as the longest replay; the connections of a worker as many as the idle scenario needs.
  return `load_module ${NCHAN_MODULE};
user root; daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 19000; }
http {
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h;
  ${temporary.map((it) => `${it}_temp_path ${folder}/${it};`).join(' ')}
  nchan_shared_memory_size 1G; nchan_message_buffer_length 10000; nchan_message_timeout 1h;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location /ready { return 204; }
    location ~ ^/publish/(\\d+)$ { nchan_publisher; nchan_channel_id $1; }
    location ~ ^/view/(\\d+)$ {
      nchan_subscriber eventsource; nchan_channel_id $1; nchan_subscriber_first_message oldest;
      nchan_eventsource_ping_interval 15;
    }
  }
}`;
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function answering(url: string, child: Child): Promise<void> {
  while (child.running) {
    if (await fetch(url).catch(() => undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await child.line(/./);
}
