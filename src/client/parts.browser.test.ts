/** The client as a bundler splits it, in a real browser: parts that come late, or not at first, and what that does to a run. */
import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from '../http/chromium.fixture.ts';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { type Bundle, bundle } from './bundle.fixture.ts';
import type { Client } from './client.ts';
import type { RunView } from './run.ts';

interface Split {
  client: Client;
  seqs: number[];
  views: RunView[];
  errors: unknown[];
}

describe.skipIf(!executablePath)('in Chromium, in parts', () => {
  let browser: Browser;
  let built: Bundle;
  const closing: (() => unknown)[] = [];

  beforeAll(async () => {
    built = await bundle(`
      import { createClient } from './index.ts';
      window.split = { client: createClient({ url: '/' }), seqs: [], views: [], errors: [] };
    `);
    browser = await openChromium();
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => browser?.close());

  /** A page whose script comes in its files; `serve` says how a part does, by its name. */
  async function open({ url }: StreamServer, serve: (part: string, route: Route) => unknown): Promise<Page> {
    const page = await browser.newPage();
    closing.push(() => page.close());
    await page.goto(`${url}/healthz`);
    await page.route(`${url}/assets/**`, async (route) => {
      const path = new URL(route.request().url()).pathname.slice(1);
      await serve(/([a-z]+)-[^/]*$/.exec(path)?.[1] ?? '', route);
      const body = built.files.get(path);
      if (body !== undefined) await route.fulfill({ body, contentType: 'text/javascript' }).catch(() => {});
    });
    await page.addScriptTag({ url: `${url}/${[...built.files.keys()][0]}`, type: 'module' });
    await page.waitForFunction(() => 'split' in window);
    return page;
  }

  const watch = (page: Page): Promise<void> =>
    page.evaluate(() => {
      const { split } = window as unknown as { split: Split };
      const run = split.client.run('r');
      run.on('event', ({ event: { seq, first = seq } }) => {
        for (let it = first; it <= seq; it++) split.seqs.push(it);
      });
      run.subscribe(() => split.views.push(run.getSnapshot()));
    });
  const seen = (page: Page) =>
    page.evaluate(() => {
      const { seqs, views } = (window as unknown as { split: Split }).split;
      return {
        seqs,
        last: views.at(-1)?.data?.seq,
        told: views.map(({ connection, error }) => `${connection} ${error?.code ?? ''} ${error?.retryable ?? ''}`),
      };
    });
  const ended = (page: Page) =>
    page.waitForFunction(() => {
      const { views } = (window as unknown as { split: Split }).split;
      return views.at(-1)?.connection === 'closed';
    });

  async function served(): Promise<StreamServer> {
    const server = await streamServer();
    closing.push(() => server.close());
    await append(server.log, 'r', [START, ...Array.from({ length: 40 }, (_, i) => custom(i)), END]);
    return server;
  }
  const all = Array.from({ length: 42 }, (_, i) => i + 1);

  test('the first request leaves before any part is there, and is the only one', async () => {
    const server = await served();
    const asked = Promise.withResolvers<void>();
    const page = await open(server, async (part) => {
      // No part comes before the server was asked for the stream.
      if (part === 'stream' || part === 'logs') await asked.promise;
    });
    const requests: string[] = [];
    page.on('request', (request) => {
      if (!request.url().includes('/stream')) return;
      if (request.resourceType() !== 'script') requests.push(new URL(request.url()).pathname);
      if (request.resourceType() !== 'script') asked.resolve();
    });
    await watch(page);
    await ended(page);
    const { seqs, last } = await seen(page);
    expect(seqs).toEqual(all);
    expect(last).toBe(42);
    expect(requests).toEqual(['/v1/runs/r/stream']);
  }, 30_000);

  test.each(['stream', 'logs'])(
    'where the part "%s" does not come it is told, and comes later: nothing is lost or said twice',
    async (name) => {
      const server = await served();
      let isBroken = true;
      const page = await open(server, async (part, route) => {
        if (part === name && isBroken) await route.abort();
      });
      await watch(page);
      await page.waitForFunction(() => {
        const { views } = (window as unknown as { split: Split }).split;
        return views.some(({ attempt }) => attempt >= 2);
      });
      const before = await seen(page);
      expect(before.seqs).toEqual([]);
      expect(before.told).toContain('reconnecting unreachable true');
      isBroken = false;
      await page.evaluate(() => (window as unknown as { split: Split }).split.client.run('r').reconnect());
      await ended(page);
      const { seqs, last } = await seen(page);
      expect(seqs).toEqual(all);
      expect(last).toBe(42);
    },
    30_000,
  );

  test('a request whose part does not come fails as unreachable, and works when it is made again', async () => {
    const server = await served();
    let isBroken = true;
    const page = await open(server, async (part, route) => {
      if (part === 'requests' && isBroken) await route.abort();
    });
    const ask = () =>
      page.evaluate(() =>
        (window as unknown as { split: Split }).split.client.list().then(
          ({ runs }) => runs.map((it) => it.runId),
          (error) => `${error.code} ${error.retryable}`,
        ),
      );
    expect(await ask()).toBe('unreachable true');
    isBroken = false;
    expect(await ask()).toEqual(['r']);
  }, 30_000);
});
