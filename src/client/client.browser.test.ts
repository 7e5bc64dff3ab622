/** The client in a real browser: cuts, a network that goes and comes, a frozen tab, a page from the cache, a killed server. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from '../http/chromium.fixture.ts';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, type Draft, delta, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import type { RunSnapshot } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { bundle, WHOLE } from './bundle.fixture.ts';
import type { Client } from './client.ts';
import type { Run, RunView } from './run.ts';

/** What the page under test keeps for its tests. */
interface Watching {
  createClient: (options: { url: string; headers?: () => Promise<HeadersInit> }) => Client;
  run: Run;
  given: number[];
  phases: string[];
  /** When each phase was shown first. */
  times: Partial<Record<RunView['connection'], number>>;
  views: number;
}
declare global {
  interface Window {
    telltale: Watching;
  }
}

describe.skipIf(!executablePath)('in Chromium', () => {
  let browser: Browser;
  let script: string;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    const page = `
      import { createClient } from './index.ts';
      window.telltale = { createClient, given: [], phases: [], times: {}, views: 0 };
    `;
    const { code } = await bundle(page, WHOLE);
    script = code;
    browser = await openChromium();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => browser?.close());

  /** A page of the server's own origin that watches a run, and writes down what it is given. */
  async function watch(url: string, runId: string): Promise<Page> {
    const page = await browser.newPage();
    closing.push(() => page.close());
    await page.goto(`${url}/healthz`);
    await page.addScriptTag({ content: script, type: 'module' });
    await page.waitForFunction(() => window.telltale);
    await page.evaluate((id) => {
      const { telltale } = window;
      const run = telltale.createClient({ url: '/' }).run(id);
      telltale.run = run;
      run.on('event', ({ event: { seq, first = seq } }) => {
        for (let it = first; it <= seq; it++) telltale.given.push(it);
      });
      run.subscribe(() => {
        telltale.views++;
        const { connection } = run.getSnapshot();
        telltale.times[connection] ??= performance.now();
        if (telltale.phases.at(-1) !== connection) telltale.phases.push(connection);
      });
    }, runId);
    return page;
  }

  const phase = (page: Page, wanted: RunView['connection']): Promise<unknown> =>
    page.waitForFunction((it) => window.telltale.run.getSnapshot().connection === it, wanted, { timeout: 20_000 });

  const result = (page: Page) =>
    page.evaluate(() => {
      const { run, given, phases } = window.telltale;
      return { data: run.getSnapshot().data, given, phases };
    });

  /** The fold is that of the server, and nothing was lost or given twice. */
  async function expectWhole(page: Page, url: string, runId: string): Promise<string[]> {
    await phase(page, 'closed');
    const { data, given, phases } = await result(page);
    const { cursor: _, ...snapshot } = (await (await fetch(`${url}/v1/runs/${runId}`)).json()) as RunSnapshot & {
      cursor: string;
    };
    expect(data).toEqual(snapshot);
    expect(given).toEqual(Array.from({ length: snapshot.seq }, (_, i) => i + 1));
    return phases;
  }

  const many = (count: number, draft: (i: number) => Draft = custom): Draft[] =>
    Array.from({ length: count }, (_, i) => draft(i));

  test('over cuts: every event once, and the fold of the server', async () => {
    const server = await streamServer({ heartbeatMs: 100 });
    closing.push(() => server.close());
    const proxy = await faultyProxy(server.url, (n) =>
      n > 1 && n < 6 ? { cutAfter: 900 + n * 700, cutBy: n % 2 ? 'fin' : 'reset' } : {},
    );
    closing.push(() => proxy.close());
    await append(server.log, 'r', [START, ...many(100), ...many(100, (i) => delta(`${i} `))]);
    const page = await watch(proxy.url, 'r');
    await phase(page, 'live');
    proxy.cutAll();
    for (let i = 0; i < 20; i++) await append(server.log, 'r', [custom(i), delta('x')]);
    await phase(page, 'live');
    await append(server.log, 'r', [END]);
    await expectWhole(page, server.url, 'r');
    expect(server.errors).toEqual([]);
  }, 60_000);

  test('offline, and back at once with the network; frozen; put away and shown again; stopped', async () => {
    const server = await streamServer();
    closing.push(() => server.close());
    await append(server.log, 'r', [START, custom(0)]);
    const page = await watch(server.url, 'r');
    const devtools = await page.context().newCDPSession(page);
    await phase(page, 'live');

    const network = (offline: boolean) =>
      devtools.send('Network.emulateNetworkConditions', {
        offline,
        latency: 0,
        downloadThroughput: -1,
        uploadThroughput: -1,
      });
    await devtools.send('Network.enable');
    await network(true);
    await phase(page, 'offline');
    await append(server.log, 'r', [custom(1)]);
    await network(false);
    await phase(page, 'live');

    // What Chromium says to a page that it freezes, or puts into its back/forward cache. Headless it does neither.
    for (const [away, back] of [
      ['freeze', 'resume'],
      ['pagehide', 'pageshow'],
    ] as const) {
      await page.evaluate((it) => (it === 'freeze' ? document : window).dispatchEvent(new Event(it)), away);
      await until(() => server.hub.viewers === 0, `a page to let go at ${away}`);
      await append(server.log, 'r', [custom(away)]);
      await page.evaluate((it) => (it === 'resume' ? document : window).dispatchEvent(new Event(it)), back);
      await phase(page, 'live');
    }

    // A page that is stopped without a word.
    await devtools.send('Debugger.enable');
    const stopped = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
    await devtools.send('Debugger.pause');
    await append(server.log, 'r', [custom(2)]);
    await stopped;
    for (let i = 0; i < 100; i++) await append(server.log, 'r', [custom(i)]);
    await devtools.send('Debugger.resume');
    await devtools.send('Debugger.disable');

    await append(server.log, 'r', [END]);
    const phases = await expectWhole(page, server.url, 'r');
    expect(phases).toContain('offline');
    expect(server.errors).toEqual([]);
  }, 60_000);

  test('a server that is killed and started again', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'telltale-client-'));
    closing.push(() => rm(dir, { recursive: true, force: true }));
    let server = await spawnServer(dir, 0);
    closing.push(() => server.child.kill('SIGKILL'));
    const { url } = server;
    const post = async (path: string, body: unknown): Promise<void> => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      expect((await fetch(url + path, init)).status).toBeLessThan(300);
    };
    const events = (count: number) => ({
      events: Array.from({ length: count }, (_, i) => ({ type: 'custom', data: { name: 'n', value: i } })),
    });
    await post('/v1/runs', { agent: 'a', runId: 'r', mode: 'remote' });
    await post('/v1/runs/r/events', events(50));
    const page = await watch(url, 'r');
    await phase(page, 'live');
    server.child.kill('SIGKILL');
    await once(server.child, 'exit');
    await phase(page, 'reconnecting');
    server = await spawnServer(dir, Number(new URL(url).port));
    await post('/v1/runs/r/events', events(50));
    await phase(page, 'live');
    await post('/v1/runs/r/events', { events: [{ type: 'run.completed', data: {} }] });
    await expectWhole(page, url, 'r');
  }, 60_000);

  test('50,000 events are there within a second or so, painted at most once a frame', async () => {
    const server = await streamServer();
    closing.push(() => server.close());
    const steps = (i: number): Draft =>
      i % 3 ? delta(`word ${i} `) : ['activity.reported', { action: `step ${i}`, status: 'done' }];
    await append(server.log, 'r', [START]);
    for (let i = 0; i < 50; i++)
      await append(
        server.log,
        'r',
        many(1000, (k) => steps(i * 1000 + k)),
      );
    await append(server.log, 'r', [END]);
    const page = await watch(server.url, 'r');
    await phase(page, 'closed');
    const { views, took, heap, seq } = await page.evaluate(() => {
      const { memory } = performance as unknown as { memory: { usedJSHeapSize: number } };
      const { run, views, times } = window.telltale;
      const took = (times.closed ?? 0) - (times.connecting ?? 0);
      return { views, took, heap: memory.usedJSHeapSize, seq: run.getSnapshot().lastSeq };
    });
    expect(seq).toBe(50_002);
    expect(views).toBeLessThan(took / 16 + 3);
    expect(heap).toBeLessThan(60 * 1024 * 1024);
    // Half a second where nothing else runs; the machine of a test is busy.
    expect(took).toBeLessThan(5_000);
  }, 60_000);
});

/** A whole server of its own, on a directory that outlives it. */
async function spawnServer(dir: string, port: number): Promise<{ url: string; child: ChildProcess }> {
  const program = `
    import { telltale } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)};
    const { url } = await telltale({ store: ${JSON.stringify(dir)} }).listen(${port});
    console.log(url);
  `;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface(child.stdout), 'line');
  return { url: String(url), child };
}
