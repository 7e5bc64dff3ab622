/** What a page depends on the hooks for, with both Reacts: connections, errors, Suspense, hydration. */
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { append, custom, delta, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import type { RunSnapshot } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { executablePath, mount, Stage, shows } from './browser.fixture.ts';
import type { ShownName } from './page.fixture.tsx';
import { Rendered } from './rendered.fixture.tsx';

describe.skipIf(!executablePath).each([19, 18] as const)('with React %i in Chromium', (react) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(react);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  test('ten components in StrictMode are one connection, closed within two seconds of the last one', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [START, delta('Hello')]);
    const { page, streams, problems } = await stage.visit(server.url);
    await mount(page, ['Ten', 'Status'], 'r', true);
    await shows(page, 'whole', 'running live  2 Hello');
    await append(server.log, 'r', [delta(' you')]);
    await shows(page, 'whole', 'running live  3 Hello you');
    expect(streams).toHaveLength(1);
    expect(server.hub.viewers).toBe(1);
    await page.evaluate(() => window.page.unmount());
    const start = performance.now();
    await until(() => server.hub.viewers === 0, 'the page to leave');
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(problems).toEqual([]);
    expect(await page.evaluate(() => window.page.version)).toMatch(new RegExp(`^${react}\\.`));
  });

  test('1,000 components that come and go leave no timer, no listener and no connection', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [START]);
    const { page, streams, problems } = await stage.visit(server.url);
    const round = (times: number): Promise<void> =>
      page.evaluate(async (times) => {
        const { port1, port2 } = new MessageChannel();
        const { counts, mount, unmount } = window.page;
        const names: ShownName[] = ['Whole', 'Timeline', 'Throttled'];
        const mounted = (): number[] => names.map((name) => counts[`mounted ${name}`] ?? 0);
        for (let i = 0; i < times; i++) {
          const before = mounted();
          mount(names, 'r', i % 2 === 0);
          while (mounted().some((it, i) => it === before[i])) {
            // React's turn, without a timer.
            await new Promise((resolve) => {
              port1.onmessage = resolve;
              port2.postMessage(0);
            });
          }
          unmount();
        }
        port1.close();
      }, times);
    const left = async () => {
      await until(() => server.hub.viewers === 0, 'the page to leave');
      await page.waitForFunction(() => window.pending.timers.size === 0);
      return page.evaluate(() => window.pending.listeners);
    };
    await round(1);
    const before = await left();
    await round(1_000);
    expect(await left()).toBe(before);
    // Each round is one connection; within the grace of a second the components find it open.
    expect(streams.length).toBeLessThanOrEqual(4);
    expect(problems).toEqual([]);
  });

  test('what cannot be watched is told, not thrown; Suspense throws it', async () => {
    const server = await stage.serve();
    const { page, problems } = await stage.visit(server.url);
    await mount(page, ['Whole'], 'nobody');
    await shows(page, 'whole', 'pending closed run_not_found 0 ');
    await page.evaluate(() => window.page.unmount());
    await mount(page, ['Whole'], 'no id!');
    await shows(page, 'whole', 'pending closed invalid_request 0 ');
    expect(problems).toEqual([]);
    await mount(page, ['Waiting'], 'nobody');
    await page.waitForFunction(() => document.getElementById('boundary')?.textContent?.includes('nobody'));
  });

  test('Suspense waits for the first snapshot, over one connection, and never again', async () => {
    const server = await stage.serve();
    const proxy = await faultyProxy(server.url, () => ({}));
    stage.later(() => proxy.close());
    await append(server.log, 'r', [START]);
    const { page, streams } = await stage.visit(proxy.url);
    await mount(page, ['Waiting'], 'r', true);
    await shows(page, 'suspended', 'running 1 live');
    expect(streams).toHaveLength(1);
    const waits = await page.evaluate(() => window.page.counts.fallback);
    expect(waits).toBeGreaterThan(0);
    proxy.cutAll();
    await append(server.log, 'r', [custom(1)]);
    await shows(page, 'suspended', 'running 2 live');
    expect(await page.evaluate(() => window.page.counts.fallback)).toBe(waits);
    await page.evaluate(() => window.page.unmount());
    await until(() => server.hub.viewers === 0, 'the page to leave');
  });

  test('what a server rendered is taken over as it is, and goes on from there', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [
      START,
      delta('Hello'),
      ['agent.started', {}, { id: 'b', name: 'Bob', path: 'Bob' }],
    ]);
    const snapshot = (await (await fetch(`${server.url}/v1/runs/r`)).json()) as RunSnapshot;
    const { page, streams, problems } = await stage.visit(server.url);
    const html = renderToString(createElement(Rendered, { snapshot }));
    expect(html.replaceAll('<!-- -->', '')).toContain('<main>running idle 3 3 2 1</main>');
    expect(html).toContain('Bob');
    const complaints = await page.evaluateHandle(([html, it]) => window.page.hydrate(html, it), [
      html,
      snapshot,
    ] as const);
    const [row] = await page.$$('[data-slot=timeline-row]');
    await page.waitForFunction(() => document.querySelector('main')?.textContent === 'running live 3 3 2 1');
    await append(server.log, 'r', [custom(1)]);
    await page.waitForFunction(() => document.querySelector('main')?.textContent === 'running live 4 4 2 1');
    expect(await complaints.jsonValue()).toEqual([]);
    expect(await row?.evaluate((it) => it.isConnected)).toBe(true);
    expect(streams.map((url) => new URL(url).searchParams.size)).toEqual([0]);
    expect(problems).toEqual([]);
  });
});
