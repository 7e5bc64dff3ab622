import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { telltale } from '../../index.ts';
import { makeKey } from '../access/index.ts';
import { type Mounted, mounted } from '../host.fixture.ts';
import { send } from '../raw-request.fixture.ts';
import { ConsoleFiles } from './index.ts';

const PAGE =
  '<!doctype html><html><head><base href="./" /><script src="./assets/index-Bd0_-abZ.js"></script></head></html>';
const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2000))});`;
const ICON = '<svg xmlns="http://www.w3.org/2000/svg"/>';
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'index.html': PAGE,
  'assets/index-Bd0_-abZ.js': SCRIPT,
  'assets/index-Bd0_-abZ.js.br': brotliCompressSync(SCRIPT),
  'assets/index-Bd0_-abZ.js.gz': gzipSync(SCRIPT),
  'assets/icon.svg': ICON,
  'secret.txt': 'not served',
};
const HASHED = '/assets/index-Bd0_-abZ.js';

let dir: string;
let telltaleHere: Mounted;
let url: string;
const closing: (() => Promise<unknown>)[] = [];

async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function build(folder: string): Promise<ConsoleFiles> {
  await mkdir(join(folder, 'assets'), { recursive: true });
  for (const [name, content] of Object.entries(FILES)) await writeFile(join(folder, name), content);
  return filesOf(folder);
}

const filesOf = (folder: string): ConsoleFiles => new ConsoleFiles(pathToFileURL(`${folder}/`));

/** As an answer goes over the wire: fetch would hide how it is compressed. */
const ask = (target: string, ...headers: string[]) => send(url, { target, headers });

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'telltale-console-'));
  telltaleHere = mounted({ console: await build(join(dir, 'built')) });
  url = await listening(telltaleHere.handler);
});

afterAll(async () => {
  for (const close of closing) await close();
  await telltaleHere.close();
  await rm(dir, { recursive: true });
  expect(telltaleHere.errors).toEqual([]);
});

describe('the page (P8)', () => {
  test.each([
    ['/', './'],
    ['/?status=running&find=a%20b', './'],
    ['/runs/first', '../'],
    ['/runs/a%2Fb?at=7', '../'],
    ['/chat', './'],
    ['/chat/talk', '../'],
  ])('%s is the page, with the way to its root %s', async (target, root) => {
    const { status, headers, body } = await ask(target);
    expect(status).toBe(200);
    expect(body).toBe(PAGE.replace('<base href="./" />', `<base href="${root}">`));
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    const { status: known, body: nothing } = await ask(target, `If-None-Match: ${headers.etag}`);
    expect([known, nothing]).toEqual([304, '']);
  });

  test('HEAD says what GET says, without a body', async () => {
    for (const target of ['/', '/runs/first', HASHED, '/assets/icon.svg']) {
      const [get, head] = [await ask(target), await send(url, { method: 'HEAD', target })];
      const { date: _get, 'content-length': _length, ...told } = get.headers;
      const { date: _head, 'content-length': _none, ...also } = head.headers;
      expect([head.status, also, head.body]).toEqual([200, told, '']);
    }
  });

  test.each([
    '/runs/',
    '/runs/first/',
    '/runs/first/events',
    '/chat/',
    '/chat/a/b',
    '/index.html',
    '/assets',
    '/assets/',
  ])('%s is none', async (target) => {
    const { status, body } = await ask(target);
    expect([status, JSON.parse(body).code]).toEqual([404, 'not_found']);
  });

  test('no script but its own runs in it, and nothing of it goes anywhere else', async () => {
    for (const target of ['/', '/runs/first', HASHED, '/assets/icon.svg']) {
      const { headers } = await ask(target);
      const policy = headers['content-security-policy'] ?? '';
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;");
      expect(policy).toContain("require-trusted-types-for 'script'; trusted-types 'none'");
      expect(policy).not.toMatch(/unsafe|\*|http/);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'permissions-policy': expect.stringContaining('camera=()'),
      });
    }
  });
});

describe('its files (P8)', () => {
  test.each([
    [undefined, undefined],
    ['identity', undefined],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['BR;q=0.1, gzip;q=1.0', 'br'],
    ['gzip;q=0, br;q=0', undefined],
    ['nonsense;;q=,', undefined],
  ])('Accept-Encoding: %s is answered in %s', async (accepted, coding) => {
    const { status, headers, body } = await ask(HASHED, ...(accepted ? [`Accept-Encoding: ${accepted}`] : []));
    expect([status, headers['content-encoding']]).toEqual([200, coding]);
    expect(headers.vary).toBe('Origin, Accept-Encoding');
    expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
    expect(headers['content-type']).toBe('text/javascript; charset=utf-8');
    if (coding === undefined) expect(body).toBe(SCRIPT);
    const text = await (await fetch(url + HASHED, { headers: { 'accept-encoding': accepted ?? '' } })).text();
    expect(text).toBe(SCRIPT);
  });

  test('each coding has a tag of its own, which the next request is answered by', async () => {
    const tags = await Promise.all(
      ['br', 'gzip', 'identity'].map(async (coding) => {
        const { etag } = (await ask(HASHED, `Accept-Encoding: ${coding}`)).headers;
        const known = await ask(HASHED, `Accept-Encoding: ${coding}`, `If-None-Match: "x", ${etag}`);
        expect([known.status, known.headers.etag, known.headers.vary]).toEqual([304, etag, 'Origin, Accept-Encoding']);
        return etag;
      }),
    );
    expect(new Set(tags).size).toBe(3);
  });

  test('one whose name stays when it changes is asked about anew each time', async () => {
    const { headers, body } = await ask('/assets/icon.svg', 'Accept-Encoding: br');
    expect(body).toBe(ICON);
    expect(headers).toMatchObject({ 'content-type': 'image/svg+xml; charset=utf-8', 'cache-control': 'no-cache' });
    expect(headers['content-encoding']).toBeUndefined();
  });

  test.each([
    ...['none.js', '..%2fsecret.txt', '%2e%2e%2findex.html', '..%5csecret.txt', '%00', 'icon.svg%00.js', '__proto__'],
    ...['constructor', 'index-Bd0_-abZ.js.br', 'index-Bd0_-abZ.js.gz', 'icon.svg%2F', 'ICON.SVG', 'x'.repeat(300)],
  ])('/assets/%s is none', async (name) => {
    const { status, headers, body } = await ask(`/assets/${name}`);
    expect([status, JSON.parse(body).code, headers['cache-control']]).toEqual([404, 'not_found', 'no-store']);
  });

  test.each([
    '/assets/../secret.txt',
    '/assets/../../package.json',
    '/assets/%2e%2e/secret.txt',
    '//assets/icon.svg',
    '/secret.txt',
  ])('%s leads to nothing', async (target) => {
    expect((await ask(target)).status).toBe(404);
  });

  test('take no query', async () => {
    const { status, body } = await ask(`${HASHED}?v=1`);
    expect([status, JSON.parse(body).code]).toEqual([400, 'invalid_request']);
  });
});

describe('on whatever path it is mounted', () => {
  const hosts: Record<string, () => Promise<string>> = {
    Express: () => listening(express().use('/deep/telltale', telltaleHere.handler)),
    Hono: async () => {
      const app = new Hono().mount('/deep/telltale', telltaleHere.fetch);
      const { createAdaptorServer } = await import('@hono/node-server');
      return listening(createAdaptorServer({ fetch: app.fetch }).listeners('request')[0] as RequestListener);
    },
    Fastify: async () => {
      const app = fastify({ forceCloseConnections: true });
      app.all('/deep/telltale/*', (request, reply) => {
        reply.hijack();
        request.raw.url = request.raw.url!.slice('/deep/telltale'.length);
        return telltaleHere.handler(request.raw, reply.raw);
      });
      closing.push(() => app.close());
      return app.listen({ host: '127.0.0.1', port: 0 });
    },
  };

  test.each(Object.entries(hosts))('%s: what the page names is there, from each of its addresses', async (_, mount) => {
    const at = `${await mount()}/deep/telltale`;
    for (const path of ['/', '/runs/first', '/chat', '/chat/talk?x=1']) {
      const answer = await fetch(at + path);
      const [, base = ''] = /<base href="(.*?)"/.exec(await answer.text()) ?? [];
      const root = new URL(base, answer.url);
      expect(root.href).toBe(`${at}/`);
      expect(await (await fetch(new URL(`.${HASHED}`, root))).text()).toBe(SCRIPT);
      expect((await fetch(new URL('v1/runs', root))).status).toBe(200);
    }
  });

  test('Express, asked for the mount without its slash, leads to it with the slash and nowhere else', async () => {
    const at = await listening(express().use('/deep/:name', telltaleHere.handler));
    for (const [target, location] of [
      ['/deep/telltale', './telltale/'],
      ['/deep/telltale?status=failed&to=//evil.test/', './telltale/?status=failed&to=//evil.test/'],
      ['/deep/http:evil.test', './http:evil.test/'],
      ['/deep/%2f%2fevil.test', './%2f%2fevil.test/'],
      ['/deep/\\\\evil.test', './\\\\evil.test/'],
    ] as const) {
      const { status, headers } = await send(at, { target });
      expect([target, status, headers.location]).toEqual([target, 308, location]);
      expect(new URL(headers.location!, `${at}${target}`).origin).toBe(at);
    }
    expect((await fetch(`${at}/deep/telltale?status=failed`)).url).toBe(`${at}/deep/telltale/?status=failed`);
    expect((await send(at, { target: '/deep/telltale/' })).status).toBe(200);
    expect((await send(at, { target: '/deep/telltale/runs/first' })).status).toBe(200);
  });
});

test('where it is not built, it says which command builds it, and is there when that was done', async () => {
  const folder = join(dir, 'later');
  const here = mounted({ console: filesOf(folder) });
  const at = (path: string) => here.fetch(new Request(`http://localhost${path}`));
  for (const path of ['/', '/runs/first', '/assets/icon.svg']) {
    const answer = await at(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('npm run build') });
  }
  // In the middle of that, too.
  await mkdir(folder);
  await writeFile(join(folder, 'index.html'), PAGE);
  expect((await at('/')).status).toBe(404);
  await build(folder);
  expect((await at('/')).status).toBe(200);
  expect(here.errors).toEqual([]);
  await here.close();
});

test('is for everybody, and names nobody: what it shows it asks for with the key of its reader', async () => {
  const { entry } = makeKey({ userId: 'ann', scopes: ['read'] });
  const app = telltale({ store: 'memory:', auth: { apiKeys: [entry] } });
  const { url } = await app.listen(0);
  expect((await fetch(url)).status).not.toBe(401);
  expect((await fetch(`${url}/runs/first`)).status).not.toBe(401);
  expect((await fetch(`${url}/v1/runs`)).status).toBe(401);
  await app.close();
});

test('the option `console: false` leaves it out, of the document too', async () => {
  const app = telltale({ store: 'memory:', console: false });
  const { url } = await app.listen(0);
  for (const path of ['/', '/runs/first', '/chat', '/chat/talk', '/assets/icon.svg']) {
    const answer = await fetch(url + path);
    expect(await answer.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('GET /docs') });
  }
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object };
  expect(Object.keys(paths)).not.toContain('/');
  await app.close();
});
