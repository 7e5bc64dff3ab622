/** The same streams over TLS and HTTP/2. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttp2, createSecureServer } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { END, note, openRun } from '../testing/stream/kit.ts';
import { type StreamHost, streamCases } from '../testing/stream.cases.ts';
import { type Certificate, certificate } from './certificate.fixture.ts';
import { executablePath, openChromium } from './chromium.fixture.ts';
import { type Mounted, mounted } from './host.fixture.ts';
import { type Http2Client, http2Client } from './http2-client.fixture.ts';
import { startNginx } from './nginx.fixture.ts';
import { find, has } from './programs.fixture.ts';

interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

async function listening(server: Server, scheme: 'http' | 'https'): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

/** nginx speaks TLS and HTTP/2 with the client, and HTTP/1 with us. */
async function behindNginx({ handler }: Mounted, { dir }: Certificate): Promise<Listening> {
  const inner = await listening(createServer(handler), 'http');
  const nginx = await startNginx(
    find('nginx')!,
    (port) => `listen 127.0.0.1:${port} ssl http2; ssl_certificate ${dir}/cert.pem; ssl_certificate_key ${dir}/key.pem;
      location / { proxy_pass ${inner.url}; proxy_pass_header X-Accel-Buffering; }`,
  );
  const close = async () => {
    await nginx.stop();
    await inner.close();
  };
  return { url: `https://127.0.0.1:${nginx.port}`, close };
}

interface SecureHost {
  readonly speaks: 'HTTP/1.1' | 'HTTP/2';
  readonly needs?: string;
  readonly mount: (telltale: Mounted, tls: Certificate) => Promise<Listening>;
}

const hosts: Record<string, SecureHost> = {
  'node:https': {
    speaks: 'HTTP/1.1',
    mount: ({ handler }, tls) => listening(createHttps(tls, handler), 'https'),
  },
  'node:http2 with TLS': {
    speaks: 'HTTP/2',
    mount: ({ handler }, tls) => listening(createSecureServer(tls, handler), 'https'),
  },
  'node:http2 with TLS, asked in HTTP/1.1': {
    speaks: 'HTTP/1.1',
    mount: ({ handler }, tls) => listening(createSecureServer({ ...tls, allowHTTP1: true }, handler), 'https'),
  },
  'node:http2 without TLS': {
    speaks: 'HTTP/2',
    mount: ({ handler }) => listening(createHttp2(handler), 'http'),
  },
  'nginx with TLS and HTTP/2': { speaks: 'HTTP/2', needs: 'nginx', mount: behindNginx },
};

describe.skipIf(!has('openssl'))('with a certificate', () => {
  let tls: Certificate;

  beforeAll(async () => {
    tls = await certificate();
  });

  afterAll(() => tls.remove());

  for (const [name, { speaks, needs, mount }] of Object.entries(hosts)) {
    describe.skipIf(needs !== undefined && !has(needs))(name, () => {
      let telltale: Mounted;
      let server: Listening;
      let client: Http2Client | undefined;
      let host: StreamHost;

      beforeAll(async () => {
        telltale = mounted();
        server = await mount(telltale, tls);
        const { url } = server;
        if (speaks === 'HTTP/2') client = await http2Client(url);
        const port = Number(new URL(url).port);
        host = {
          url,
          fetch: client?.fetch ?? fetch,
          viewers: () => telltale.hub.viewers,
          connect: () => connect({ port, host: '127.0.0.1', ca: tls.cert }),
        };
      });

      afterAll(async () => {
        await client?.close();
        await telltale.close();
        await server.close();
        expect(telltale.errors).toEqual([]);
      });

      streamCases({
        test: it,
        skip: (name, why) => it.skip(`${name} (${why})`),
        host: () => host,
        ...(speaks === 'HTTP/2' && !needs && { lacks: { connections: 'it speaks HTTP/2 alone' } }),
      });

      it('pages of its own origin may write, those of the same host without TLS may not', async () => {
        const write = (origin: string) => {
          const headers = { 'content-type': 'application/json', origin };
          const init = { method: 'POST', headers, body: '{"agent":"a","mode":"remote"}' };
          return host.fetch(new Request(`${host.url}/v1/runs`, init));
        };
        const other = host.url.replace(/^\w+/, (scheme) => (scheme === 'https' ? 'http' : 'https'));
        // A proxy that ends TLS hides it.
        expect((await write(host.url)).status).toBe(needs === 'nginx' ? 403 : 201);
        expect((await write(other)).status).toBe(403);
      });

      if (speaks === 'HTTP/2') {
        it('a client that leaves one stream keeps the others of its connection', async () => {
          const runs = await Promise.all([openRun(host), openRun(host)]);
          const [left, kept] = await Promise.all(
            runs.map(({ path }) => client!.session.request({ ':path': path }).setEncoding('utf8')),
          );
          let text = '';
          kept!.on('data', (piece: string) => {
            text += piece;
          });
          await Promise.all([once(left!, 'data'), once(kept!, 'data')]);
          left!.destroy();
          await runs[1]!.append(note('after'), END);
          await once(kept!, 'end');
          expect(text).toMatch(/"value":"after"[\s\S]+event: stream\.bye/);
        });

        it.skipIf(needs !== undefined)('lines are acknowledged while the request goes on', async () => {
          const { runId } = await openRun(host);
          const headers = { ':method': 'POST', 'content-type': 'application/x-ndjson' };
          const sent = client!.session.request({ ...headers, ':path': `/v1/runs/${runId}/events` }).setEncoding('utf8');
          for (let line = 2; line < 5; line++) {
            sent.write('{"type":"custom","data":{"name":"n","value":1}}\n');
            const [answer] = (await once(sent, 'data')) as [string];
            expect(JSON.parse(answer)).toMatchObject({ first: line, last: line });
          }
          sent.end();
          await once(sent.resume(), 'close');
        });

        it('curl speaks it, to the end', async () => {
          const { path, append } = await openRun(host);
          await append(END);
          const how = host.url.startsWith('https:')
            ? ['--http2', '--cacert', join(tls.dir, 'cert.pem')]
            : ['--http2-prior-knowledge'];
          const { stdout } = await promisify(execFile)('curl', [
            '-sS',
            '-w',
            '%{http_version}',
            ...how,
            host.url + path,
          ]);
          expect(stdout).toMatch(/event: stream\.bye\ndata: .*\n\n2$/);
        });
      }
    });
  }

  it.skipIf(!executablePath || !has('nginx'))(
    'a browser watches ten runs at once over HTTP/2, of which HTTP/1.1 allows six',
    async () => {
      const telltale = mounted();
      const server = await behindNginx(telltale, tls);
      const client = await http2Client(server.url);
      const host = { url: server.url, fetch: client.fetch, viewers: () => telltale.hub.viewers };
      const browser = await openChromium('--ignore-certificate-errors');
      const runs = await Promise.all(Array.from({ length: 10 }, () => openRun(host)));
      const page = await browser.newPage({ ignoreHTTPSErrors: true });
      await page.goto(`${server.url}/healthz`);
      const watching = page.evaluate(
        async (paths) => {
          const sources = paths.map((path) => new EventSource(path));
          const to = (name: string) =>
            Promise.all(
              sources.map((it) => new Promise((resolve) => it.addEventListener(name, resolve, { once: true }))),
            );
          await to('stream.caught-up');
          const ended = to('run.completed');
          await fetch('/healthz');
          document.title = 'watching';
          await ended;
          for (const source of sources) source.close();
          return performance
            .getEntriesByType('resource')
            .map((it) => (it as PerformanceResourceTiming).nextHopProtocol);
        },
        runs.map(({ path }) => path),
      );
      await page.waitForFunction(() => document.title === 'watching');
      expect(telltale.hub.viewers).toBe(10);
      for (const { append } of runs) await append(END);
      expect(new Set(await watching)).toEqual(new Set(['h2']));
      await browser.close();
      await client.close();
      await telltale.close();
      await server.close();
    },
  );
});

describe('HTTP/2 at a server that speaks HTTP/1', () => {
  let telltale: Mounted;
  let server: Listening;

  beforeAll(async () => {
    telltale = mounted();
    server = await listening(createServer(telltale.handler), 'http');
  });

  afterAll(async () => {
    await telltale.close();
    await server.close();
  });

  it.skipIf(!has('curl'))(
    'is refused at once where it is spoken without asking, and passed over where asked for',
    async () => {
      const curl = (how: string) =>
        promisify(execFile)('curl', ['-sS', '--max-time', '5', '-w', '%{http_version}', how, `${server.url}/healthz`]);
      // 28 would be the time.
      await expect(curl('--http2-prior-knowledge')).rejects.toMatchObject({
        code: expect.toSatisfy((it) => it !== 28),
      });
      expect((await curl('--http2')).stdout).toMatch(/^\{"status":"ok".*\}1\.1$/);
    },
  );
});
