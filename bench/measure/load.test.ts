/** The judge is judged: what the load programs count, against servers that are known to be right or wrong. */
import { spawnSync } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Load } from './load.ts';

const canRun = process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0;

describe.skipIf(!canRun)('the load programs (need Linux and a C compiler)', () => {
  let load: Load;
  let server: Server;

  beforeAll(() => {
    load = new Load();
  });
  afterAll(() => load.remove());
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function listen(listener: RequestListener): Promise<number> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  }

  const marker = (number: number, dueUs = 1): string =>
    `~${String(number).padStart(10, '0')}${String(dueUs).padStart(16, '0')}`;

  test('viewers count every event once, wherever the bytes are torn, with several in a frame', async () => {
    const frames = `: hello ${marker(9)}\n\nid: 1\ndata: ${marker(1)}xx\n\ndata: ${marker(2)}x${marker(3)}\n\n: beat\n\ndata: ${marker(4)}\n\n`;
    const port = await listen(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      for (const byte of frames) await new Promise<void>((resolve) => response.write(byte, () => resolve()));
    });
    const viewers = await load.watch(port, 3, ['/'], 4);
    await viewers.finished(10_000);
    expect(await viewers.report()).toMatchObject({
      events: 12,
      frames: 9,
      comments: 6,
      gaps: 0,
      repeats: 0,
      lowest: 4,
      highest: 4,
      finish: { count: 3 },
    });
    await viewers.stop();
  });

  test('viewers tell gaps and repeats, and reset leaves them', async () => {
    const port = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const number of [1, 2, 2, 5, 4, 6]) response.write(`data: ${marker(number)}\n\n`);
    });
    const viewers = await load.watch(port, 1, ['/'], 6);
    await viewers.finished(10_000);
    // 3 and 4 were missing when 5 came; 2 and 4 came when they were no news.
    expect(await viewers.report()).toMatchObject({ events: 4, frames: 6, gaps: 2, repeats: 2 });
    viewers.reset();
    expect(await viewers.report()).toMatchObject({ events: 0, frames: 0, gaps: 2, repeats: 2, latency: { count: 0 } });
    await viewers.stop();
  });

  test('latency is the time since an event was due', async () => {
    const port = await listen((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const nowUs = Number(process.hrtime.bigint() / 1_000n);
      response.write(`data: ${marker(1, nowUs - 5_000_000)}\n\n`);
    });
    const viewers = await load.watch(port, 1, ['/'], 1);
    await viewers.finished(10_000);
    const { latency } = await viewers.report();
    expect(latency.max).toBeGreaterThanOrEqual(5_000_000);
    expect(latency.max).toBeLessThan(10_000_000);
    expect(latency.p50 / latency.max).toBeGreaterThan(0.98);
    await viewers.stop();
  });

  test.each(['ndjson', 'post'] as const)('producers send every event in order, due at the rate (%s)', async (mode) => {
    const bodies = new Map<string, string>();
    const port = await listen(async (request, response) => {
      const path = request.url ?? '';
      bodies.set(path, `${bodies.get(path) ?? ''}${await text(request)}${mode === 'post' ? '\n' : ''}`);
      response.end('{}');
    });
    const paths = ['/a', '/b', '/c'];
    const traffic = { port, mode, paths, rate: 10_000, events: 300, before: '{"it":"', after: '"}' };
    const producers = await load.publish(traffic);
    producers.go();
    expect(await producers.done(10_000)).toMatchObject({ sent: 300 });
    const due = paths.map((path) => {
      const events = (bodies.get(path) ?? '')
        .trim()
        .split('\n')
        .map((line) => String(JSON.parse(line).it));
      expect(events.map((it) => Number(it.slice(1, 11)))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
      return events.map((it) => Number(it.slice(11, 27)));
    });
    const times = due.flat().sort((a, b) => a - b);
    expect(times.at(-1)! - times[0]!).toBe(29_900);
    await producers.stop();
  });

  test('a refused publish fails, with what the server said', async () => {
    const port = await listen((request, response) => {
      request.resume().on('end', () => response.writeHead(409).end('{"code":"run_closed"}'));
    });
    const traffic = { port, mode: 'post', paths: ['/a'], rate: 1_000, events: 2, before: '', after: '' } as const;
    const producers = await load.publish(traffic);
    producers.go();
    await expect(producers.done(10_000)).rejects.toThrow(/2 publishes were refused. The first: 409 .*run_closed/);
    await producers.stop();
  });
});
