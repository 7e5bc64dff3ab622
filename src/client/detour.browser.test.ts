/** A page behind an nginx that holds streams back, in a real browser: pages take over, and the stream comes back. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, expect, test } from 'vitest';
import { executablePath, openChromium } from '../http/chromium.fixture.ts';
import { startNginx } from '../http/nginx.fixture.ts';
import { find } from '../http/programs.fixture.ts';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { bundle, WHOLE } from './bundle.fixture.ts';
import type { Client } from './client.ts';
import type { Run } from './run.ts';

/** What the page keeps for its test. */
interface Held {
  createClient: (options: { url: string }) => Client;
  run: Run;
  given: number[];
}

let browser: Browser | undefined;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(() => browser?.close());

test('in Chromium, too: pages where nginx holds the stream back, the stream once it lets it through, each event once (P7)', async (context) => {
  const program = find('nginx');
  if (!program || !executablePath) return context.skip('nginx or chromium is not installed');
  const server = await streamServer();
  closing.push(() => server.close());
  const proxied = (how: string) => (port: number) =>
    `listen 127.0.0.1:${port}; location / { proxy_pass ${server.url}; ${how} }`;
  const nginx = await startNginx(program, proxied('proxy_ignore_headers X-Accel-Buffering;'));
  closing.push(() => nginx.stop());
  let stored = 0;
  const store = async (...drafts: Draft[]): Promise<void> => {
    await append(server.log, 'r', drafts);
    stored += drafts.length;
  };
  await store(START, ...Array.from({ length: 20 }, (_, i) => (i % 2 ? custom(i) : delta(`${i} `))));

  const source = `import { createClient } from './index.ts'; window.held = { createClient, given: [] };`;
  const { code } = await bundle(source, WHOLE);
  browser = await openChromium();
  const page = await browser.newPage();
  closing.push(() => page.close());
  const requests: string[] = [];
  page.on('request', (request) => requests.push(new URL(request.url()).pathname));
  await page.goto(`http://127.0.0.1:${nginx.port}/healthz`);
  await page.addScriptTag({ content: code, type: 'module' });
  await page.waitForFunction('window.held');
  await page.evaluate(() => {
    const { held } = globalThis as unknown as { held: Held };
    held.run = held.createClient({ url: '/' }).run('r');
    held.run.on('event', ({ event: { seq, first = seq } }) => {
      for (let it = first; it <= seq; it++) held.given.push(it);
    });
  });
  const is = (connection: string, seq: number): Promise<unknown> =>
    page.waitForFunction(
      ([wanted, last]) => {
        const view = (globalThis as unknown as { held: Held }).held.run.getSnapshot();
        return view.connection === wanted && view.lastSeq >= last;
      },
      [connection, seq] as const,
      { timeout: 20_000, polling: 20 },
    );
  const latest = () => requests.slice(-2).map((it) => it.split('/').at(-1));

  await is('live', stored);
  expect(latest()).toContain('events');
  await store(custom('live'), delta('x'));
  await is('live', stored);

  await nginx.reload(proxied('proxy_buffering off;'));
  await until(() => latest().every((it) => it === 'stream'), 'the stream', 20_000);
  await is('live', stored);
  const before = requests.length;
  for (let i = 0; i < 5; i++) {
    await store(custom(i), delta(`${i}`));
    await is('live', stored);
  }
  await store(END);
  await is('closed', stored);
  expect(requests.slice(before)).toEqual([]);

  const { data, given } = await page.evaluate(() => {
    const { run, given } = (globalThis as unknown as { held: Held }).held;
    return { data: run.getSnapshot().data, given };
  });
  const { cursor: _, ...snapshot } = (await (await fetch(`${server.url}/v1/runs/r`)).json()) as Record<string, unknown>;
  expect(data).toEqual(snapshot);
  expect(given).toEqual(Array.from({ length: stored }, (_, i) => i + 1));
  expect(server.errors).toEqual([]);
}, 60_000);
