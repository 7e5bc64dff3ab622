/** The same streams in every host. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createAdaptorServer } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../hub/recording.fixture.ts';
import { END, openRun } from '../testing/stream/kit.ts';
import { type StreamHost, streamCases } from '../testing/stream.cases.ts';
import { type Mounted, mounted } from './host.fixture.ts';

/** Makes a server of Telltale, mounted under a path. */
type Mount = (telltale: Mounted) => Promise<{ url: string; close(): Promise<void> }>;

async function listening(server: Server, path = ''): ReturnType<Mount> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, close };
}

const hosts: Record<string, Mount> = {
  'node:http': ({ handler }) => listening(createServer(handler)),
  'node:http, with a wrapped response': ({ handler }) =>
    listening(
      createServer((request, response) => {
        response.write = ServerResponse.prototype.write.bind(response);
        return handler(request, response);
      }),
    ),
  Express({ handler }) {
    const app = express();
    // Its own limit is 100 KB.
    app.use(express.json({ limit: '1mb' }));
    app.use('/tt', handler);
    return listening(createServer(app), '/tt');
  },
  async Fastify({ handler }) {
    const app = fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    app.all('/tt/*', (request, reply) => {
      reply.hijack();
      request.raw.url = request.raw.url!.slice('/tt'.length);
      return handler(request.raw, reply.raw);
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    return { url: `${url}/tt`, close: () => app.close() };
  },
  Hono: ({ fetch }) => listening(createAdaptorServer({ fetch: new Hono().mount('/tt', fetch).fetch }) as Server, '/tt'),
};

describe.each(Object.entries(hosts))('%s', (_name, mount) => {
  let telltale: Mounted;
  let server: Awaited<ReturnType<Mount>>;

  beforeAll(async () => {
    telltale = mounted();
    server = await mount(telltale);
  });

  afterAll(async () => {
    await telltale.close();
    await server.close();
    expect(telltale.errors).toEqual([]);
  });

  streamCases({
    test: it,
    skip: (name, why) => it.skip(`${name} (${why})`),
    host: () => ({ url: server.url, fetch, viewers: () => telltale.hub.viewers }),
  });
});

describe('on a server of Node', () => {
  let telltale: Mounted;
  let server: Awaited<ReturnType<Mount>>;
  let wrapped: (bytes: Uint8Array) => void;

  beforeAll(async () => {
    telltale = mounted();
    const wrapping = createServer((request, response) => {
      const write = response.write.bind(response);
      response.write = (piece: Uint8Array) => {
        wrapped(piece);
        return write(piece);
      };
      return telltale.handler(request, response);
    });
    server = await listening(wrapping);
  });

  afterAll(async () => {
    await telltale.close();
    await server.close();
  });

  it('what has wrapped the response is given every byte, and none is written past it', async () => {
    const host = { url: server.url, fetch, viewers: () => telltale.hub.viewers };
    wrapped = () => {};
    const { path, append } = await openRun(host);
    await append(END);
    let passed = '';
    wrapped = (bytes) => {
      passed += Buffer.from(bytes);
    };
    const text = await (await fetch(host.url + path)).text();
    expect(text).toContain('stream.bye');
    expect(passed).toBe(text);
  });

  it('a stream that waits behind another on its connection is opened when its turn comes', async () => {
    const host = { url: server.url, fetch, viewers: () => telltale.hub.viewers };
    wrapped = () => {};
    const { path, append } = await openRun(host);
    const { port, host: name } = new URL(server.url);
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    const times = (pattern: RegExp) => [...text.matchAll(pattern)].length;
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${name}\r\n\r\n`.repeat(2));
    await until(() => times(/: heartbeat/g) > 1);
    expect(telltale.hub.viewers).toBe(1);
    await append(END);
    await until(() => times(/event: stream\.bye/g) === 2);
    expect(text.indexOf('event: stream.bye')).toBeLessThan(text.lastIndexOf('HTTP/1.1 200'));
    socket.destroy();
  });
});

it('a stream over a Unix socket comes in chunks: one that is cut does not look whole', async () => {
  const telltale = mounted();
  const dir = await mkdtemp(join(tmpdir(), 'telltale-socket-'));
  const server = createServer(telltale.handler).listen(join(dir, 'http'));
  await once(server, 'listening');
  const { path } = await openRun({ url: 'http://localhost', fetch: telltale.fetch, viewers: () => 0 });
  const asked = request({ socketPath: join(dir, 'http'), path }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  expect(answer.headers['transfer-encoding']).toBe('chunked');
  asked.destroy();
  await until(() => telltale.hub.viewers === 0);
  server.close();
  await once(server, 'close');
  await telltale.close();
  await rm(dir, { recursive: true, force: true });
});

describe('fetch, without a server', () => {
  const telltale = mounted();
  const host: StreamHost = { url: 'http://localhost', fetch: telltale.fetch, viewers: () => telltale.hub.viewers };
  const lacks = { connections: 'there are none' };

  afterAll(async () => {
    await telltale.close();
    expect(telltale.errors).toEqual([]);
  });

  streamCases({ test: it, skip: (name, reason) => it.skip(`${name} (${reason})`), host: () => host, lacks });
});

const runtimes: [name: string, program: string, args: string[]][] = [
  ['Bun', 'bun', ['run']],
  ['Deno', 'deno', ['run', '--allow-all', '--no-lock']],
];

for (const [name, program, args] of runtimes) {
  const works = spawnSync(program, ['--version']).status === 0;
  if (works) describe(name, () => inProcess(program, args));
  else describe.skip(name, () => it(`(${program} is not installed)`, () => {}));
}

/** The cases in a host that is a process of its own. */
function inProcess(program: string, args: readonly string[]): void {
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const script = join(import.meta.dirname, 'host-process.fixture.ts');
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1' };
    server = spawn(program, [...args, script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    [url] = (await once(createInterface(server.stdout!), 'line')) as [string];
  });

  afterAll(async () => {
    const closed = once(server, 'close');
    server.kill('SIGKILL');
    await closed;
  });

  const viewers = async () => (await (await fetch(`${url}/viewers`)).json()) as number;
  streamCases({ test: it, skip: (name) => it.skip(name), host: () => ({ url, fetch, viewers }) });
}
