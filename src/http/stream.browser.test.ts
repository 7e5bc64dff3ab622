/** The plain EventSource of a real browser, through a proxy that cuts (P5, P7). */
import { expect, test } from 'vitest';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { executablePath, openChromium } from './chromium.fixture.ts';
import { streamServer } from './stream.fixture.ts';

test('EventSource in Chromium gets every event once over cuts, resumes a quiet view by progress, and stops at the end', async (context) => {
  if (!executablePath) return context.skip('chromium is not installed');
  const server = await streamServer({ heartbeatMs: 50 });
  const cuts = [1400, 1200, 1];
  const proxy = await faultyProxy(server.url, (n) =>
    n < 3 ? { cutAfter: cuts[n]!, cutBy: n % 2 ? 'fin' : 'reset' } : {},
  );
  const browser = await openChromium();
  try {
    await append(server.log, 'r', [START, ...Array.from({ length: 30 }, (_, n) => custom(n))]);
    const page = await browser.newPage();
    let requests = 0;
    page.on('request', (request) => {
      if (request.url().includes('/stream')) requests++;
    });
    // A page of the server's own origin; its connection is the first that is cut.
    await page.goto(`${proxy.url}/healthz`);
    const watching = page.evaluate(
      async (types) => {
        const seen: number[] = [];
        const quiet: string[] = [];
        const source = new EventSource('/v1/runs/r/stream');
        const filtered = new EventSource('/v1/runs/r/stream?types=tool.*');
        filtered.addEventListener('stream.progress', ({ lastEventId }) => quiet.push(lastEventId.split('.')[1]!));
        for (const type of types) {
          source.addEventListener(type, (event) => seen.push(JSON.parse((event as MessageEvent<string>).data).seq));
        }
        const closed = (it: EventSource) =>
          new Promise<void>((resolve) => {
            it.addEventListener('error', () => it.readyState === EventSource.CLOSED && resolve());
          });
        await Promise.all([closed(source), closed(filtered)]);
        return { seen, quiet };
      },
      ['run.started', 'custom', 'run.completed'],
    );
    // Both are there after all the cuts before the run goes on.
    await until(() => proxy.connections > 4 && server.hub.viewers === 2, 'both streams after the cuts', 30_000);
    for (let n = 0; n < 20; n++) await append(server.log, 'r', [custom(n)]);
    await append(server.log, 'r', [END]);
    const { seen, quiet } = await watching;
    expect(seen).toEqual(Array.from({ length: 52 }, (_, i) => i + 1));
    expect(quiet[0]).toBe('31');
    // Each stream: what was cut, what came to the end, what got 204; a browser may retry a cut request by itself.
    expect(requests).toBeGreaterThanOrEqual(6);
    expect(requests).toBeLessThanOrEqual(9);
    expect(server.errors).toEqual([]);
    await until(() => server.hub.viewers === 0);
  } finally {
    await browser.close();
    await proxy.close();
    await server.close();
  }
}, 60_000);

test('EventSource in Chromium gets every event of eight runs once over cuts, on one connection, and stops at the end', async (context) => {
  if (!executablePath) return context.skip('chromium is not installed');
  const server = await streamServer();
  const ids = Array.from({ length: 8 }, (_, n) => `run-${n}`);
  for (const id of ids) await append(server.log, id, [START, custom(1), custom(2)]);
  const cuts = [4000];
  const proxy = await faultyProxy(server.url, (n) => (n in cuts ? { cutAfter: cuts[n]!, cutBy: 'fin' } : {}));
  const browser = await openChromium();
  try {
    const page = await browser.newPage();
    // A page of the proxy's own origin; its connection is the first that might be cut.
    await page.goto(`${proxy.url}/healthz`);
    const query = ids.map((id) => `run=${id}`).join('&');
    const watching = page.evaluate(async (url) => {
      const seen: string[] = [];
      const source = new EventSource(url);
      source.onmessage = ({ data }) => {
        const { runId, seq } = JSON.parse(data);
        if (runId) seen.push(`${runId} ${seq}`);
      };
      await new Promise<void>((resolve) => {
        source.onerror = () => source.readyState === EventSource.CLOSED && resolve();
      });
      return seen;
    }, `${proxy.url}/v1/stream?${query}&events=message&coalesce=off`);
    await until(() => proxy.connections > 1 && server.hub.viewers === 1, 'the stream after the cut', 30_000);
    for (const id of ids) await append(server.log, id, [custom(4), END]);
    const seen = await watching;
    for (const id of ids)
      expect(seen.filter((it) => it.startsWith(`${id} `))).toEqual([1, 2, 3, 4, 5].map((n) => `${id} ${n}`));
    expect(server.errors).toEqual([]);
    await until(() => server.hub.viewers === 0);
  } finally {
    await browser.close();
    await proxy.close();
    await server.close();
  }
}, 60_000);
