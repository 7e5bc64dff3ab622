/** Behind nginx as it is installed, with `proxy_buffering` on (its default). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { RecordedViewer, until } from '../hub/recording.fixture.ts';
import { find } from './programs.fixture.ts';
import { streamServer } from './stream.fixture.ts';
import { connectOnce } from './stream-client.fixture.ts';

test('the first frames, each event and the heartbeats pass at once through a buffering nginx (P5)', async (context) => {
  const program = find('nginx');
  if (!program) return context.skip('nginx is not installed');
  const server = await streamServer({ heartbeatMs: 100 });
  await append(server.log, 'r', [START]);
  const dir = await mkdtemp(join(tmpdir(), 'telltale-nginx-'));
  const port = await freePort();
  await writeFile(join(dir, 'nginx.conf'), config(dir, port, server.url));
  const nginx = spawn(program, ['-c', join(dir, 'nginx.conf'), '-e', join(dir, 'error.log')], { stdio: 'ignore' });
  try {
    const url = `http://127.0.0.1:${port}`;
    for (let ready = false; !ready; ) ready = (await fetch(`${url}/healthz`).catch(() => undefined))?.ok ?? false;
    const viewer = new RecordedViewer('v');
    const watching = connectOnce(viewer, `${url}/v1/runs/r/stream`);
    await until(() => viewer.events.length === 1, 'the first event', 2000);
    await append(server.log, 'r', [custom(1)]);
    await until(() => viewer.events.length === 2, 'the next event', 2000);
    await until(() => viewer.comments.filter((it) => it.startsWith('heartbeat')).length >= 3, 'heartbeats', 2000);
    await append(server.log, 'r', [END]);
    await watching;
    expect(viewer.ended).toBe(true);
    expect(await connectOnce(viewer, `${url}/v1/runs/r/stream`)).toBe(204);
  } finally {
    nginx.kill('SIGTERM');
    if (nginx.exitCode === null) await once(nginx, 'exit');
    await rm(dir, { recursive: true, force: true });
    await server.close();
  }
});

function config(dir: string, port: number, upstream: string): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((it) => `${it}_temp_path ${dir}/${it};`);
  return `daemon off; worker_processes 1; pid ${dir}/pid; error_log ${dir}/error.log; events {}
http { access_log off; ${temp.join(' ')}
  server { listen 127.0.0.1:${port}; location / { proxy_pass ${upstream}; } } }`;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
