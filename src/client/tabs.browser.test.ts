/** Tabs of a real browser that share one connection: joined late, led by another, crashed, stopped without a word. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from '../http/chromium.fixture.ts';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { append, custom, delta, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import type { RunSnapshot } from '../protocol/index.ts';
import { bundle, WHOLE } from './bundle.fixture.ts';
import type { Client } from './client.ts';
import type { Run } from './run.ts';

/** What a tab under test keeps. */
interface Tab {
  createClient: (options: { url: string; tabs: string }) => Client;
  run: Run;
  given: number[];
  phases: string[];
}

describe.skipIf(!executablePath)('tabs of Chromium', () => {
  let browser: Browser;
  let script: string;
  let context: BrowserContext;
  let server: StreamServer;

  beforeAll(async () => {
    const source = `import { createClient } from './index.ts'; window.tab = { createClient, given: [], phases: [] };`;
    script = (await bundle(source, WHOLE)).code;
    browser = await openChromium();
  });
  afterEach(async () => {
    await context.close();
    await server.close();
  });
  afterAll(() => browser?.close());

  async function open(identity = 'ann', runId = 'r'): Promise<Page> {
    const page = await context.newPage();
    await page.goto(`${server.url}/healthz`);
    await page.addScriptTag({ content: script, type: 'module' });
    await page.waitForFunction('window.tab');
    await page.evaluate(
      ([tabs, id]) => {
        const tab = (globalThis as unknown as { tab: Tab }).tab;
        tab.run = tab.createClient({ url: '/', tabs }).run(id);
        tab.run.on('event', ({ event: { seq, first = seq } }) => {
          for (let it = first; it <= seq; it++) tab.given.push(it);
        });
        tab.run.subscribe(() => {
          const { connection } = tab.run.getSnapshot();
          if (tab.phases.at(-1) !== connection) tab.phases.push(connection);
        });
      },
      [identity, runId] as const,
    );
    return page;
  }

  const isAt = (page: Page, connection: string): Promise<unknown> =>
    page.waitForFunction(
      (it) => (globalThis as unknown as { tab: Tab }).tab.run.getSnapshot().connection === it,
      connection,
      { timeout: 15_000, polling: 20 },
    );

  const has = (page: Page, seq: number): Promise<unknown> =>
    page.waitForFunction((it) => (globalThis as unknown as { tab: Tab }).tab.run.getSnapshot().lastSeq >= it, seq, {
      timeout: 15_000,
      polling: 20,
    });

  /** Appends an event, which every tab gets; resolves with how long the last one waited for it. */
  let latest = 0;
  async function everyoneGets(pages: readonly Page[]): Promise<number> {
    const since = performance.now();
    latest = (await append(server.log, 'r', [custom(latest), delta('x')])).last;
    await Promise.all(pages.map((page) => has(page, latest)));
    return performance.now() - since;
  }

  async function expectWhole(page: Page): Promise<void> {
    await isAt(page, 'closed');
    const { given, data } = await page.evaluate(() => {
      const { given, run } = (globalThis as unknown as { tab: Tab }).tab;
      return { given, data: run.getSnapshot().data };
    });
    const { cursor: _, ...snapshot } = (await (await fetch(`${server.url}/v1/runs/r`)).json()) as RunSnapshot & {
      cursor: string;
    };
    expect(data).toEqual(snapshot);
    expect(given).toEqual(Array.from({ length: snapshot.seq }, (_, i) => i + 1));
  }

  test('six are live over one connection; the first is closed, the next crashes, the next is stopped: nothing is lost or told twice', async () => {
    context = await browser.newContext();
    server = await streamServer({ heartbeatMs: 500 });
    await append(server.log, 'r', [START, ...Array.from({ length: 50 }, (_, i) => custom(i))]);
    const pages: Page[] = [];
    for (let i = 0; i < 6; i++) pages.push(await open());
    await Promise.all(pages.map((page) => isAt(page, 'live')));
    expect(server.hub.viewers).toBe(1);
    await everyoneGets(pages);
    expect(server.hub.viewers).toBe(1);

    await (pages.shift() as Page).close();
    expect(await everyoneGets(pages)).toBeLessThan(2_000);

    const second = pages.shift() as Page;
    const crash = new Promise((resolve) => second.once('crash', resolve));
    void (await context.newCDPSession(second)).send('Page.crash').catch(() => {});
    await crash;
    expect(await everyoneGets(pages)).toBeLessThan(2_000);

    const third = pages.shift() as Page;
    const devtools = await context.newCDPSession(third);
    await devtools.send('Debugger.enable');
    const stopped = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
    await devtools.send('Debugger.pause');
    await everyoneGets([]);
    await stopped;
    expect(await everyoneGets(pages)).toBeLessThan(12_000);
    await devtools.send('Debugger.resume');
    await devtools.send('Debugger.disable');
    pages.push(third);
    await everyoneGets(pages);
    await until(() => server.hub.viewers === 1, 'the one that was stopped to step down');
    pages.push(await open());
    await everyoneGets(pages);
    expect(server.hub.viewers).toBe(1);

    await append(server.log, 'r', [END]);
    for (const page of pages) await expectWhole(page);
    expect(server.errors).toEqual([]);
  }, 90_000);

  // What Chromium says to a page that it freezes, or puts into its back/forward cache. Headless it does neither.
  test.each([
    ['freeze', 'resume'],
    ['pagehide', 'pageshow'],
  ] as const)(
    'one that leads lets go at %s, another leads at once, and it catches up at %s',
    async (away, back) => {
      context = await browser.newContext();
      server = await streamServer();
      await append(server.log, 'r', [START]);
      const first = await open();
      await isAt(first, 'live');
      const second = await open();
      await isAt(second, 'live');
      const say = (it: string) =>
        first.evaluate((type) => {
          (type === 'freeze' || type === 'resume' ? document : window).dispatchEvent(new Event(type));
        }, it);
      await say(away);
      expect(await everyoneGets([second])).toBeLessThan(2_000);
      await until(() => server.hub.viewers === 1, 'the server to see that the first has let go');
      await say(back);
      await everyoneGets([first, second]);
      expect(server.hub.viewers).toBe(1);
      await append(server.log, 'r', [END]);
      await expectWhole(first);
      await expectWhole(second);
    },
    30_000,
  );

  test.each(['navigator.locks', 'BroadcastChannel'])(
    'without %s each tab has a connection of its own',
    async (name) => {
      context = await browser.newContext();
      await context.addInitScript(
        `Object.defineProperty(${name === 'navigator.locks' ? 'Navigator.prototype' : 'window'}, '${name.split('.').at(-1)}', { value: undefined })`,
      );
      server = await streamServer();
      await append(server.log, 'r', [START]);
      const pages = [await open(), await open()];
      await Promise.all(pages.map((page) => isAt(page, 'live')));
      expect(server.hub.viewers).toBe(2);
      await append(server.log, 'r', [END]);
      for (const page of pages) await expectWhole(page);
    },
    30_000,
  );
});
