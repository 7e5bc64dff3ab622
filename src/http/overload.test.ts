/** A server with more work than it gets through: what is committed is shown all the same (P7). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { endAll, startServer } from '../cli/process.fixture.ts';
import { openLines } from './line-client.fixture.ts';
import { get, read } from './stream-client.fixture.ts';

/** More than the 1,024 that libuv takes from the kernel at once: where all are ready, it asks for more before all else. */
const PRODUCERS = 2_000;
const EVENTS = 3;
const LINE = '{"type":"custom","data":{"name":"n","value":1}}\n';

afterAll(endAll);

test('a viewer gets what is committed within a second, however much else is written to the server', async () => {
  const { url } = await startServer(['--port', '0', '--data', 'memory:']);
  for (const runId of ['flood', 'watched']) {
    const body = JSON.stringify({ agent: 'a', mode: 'remote', runId });
    await fetch(`${url}/v1/runs`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  }
  const producer = openLines(`${url}/v1/runs/watched/events`);
  producer.write(LINE);
  await producer.next();
  const viewer = await get(`${url}/v1/runs/watched/stream?from=now`);

  const flood = spawn(process.execPath, [join(import.meta.dirname, 'flood.fixture.ts'), url, 'flood', `${PRODUCERS}`]);
  try {
    let dots = 0;
    const isFlooded = new Promise<void>((resolve) => {
      flood.stdout.on('data', (text: Buffer) => {
        dots += text.length;
        if (dots * 100 >= 2 * PRODUCERS) resolve();
      });
    });
    const lateness: number[] = [];
    let seen = Promise.withResolvers<number>();
    void read(viewer, (text) => {
      if (text.includes('event: custom')) seen.resolve(performance.now());
    });
    await isFlooded;
    const before = dots;
    for (let n = 0; n < EVENTS; n++) {
      seen = Promise.withResolvers();
      producer.write(LINE);
      await producer.next();
      const committedAt = performance.now();
      lateness.push((await seen.promise) - committedAt);
    }
    expect(Math.max(...lateness)).toBeLessThan(1_000);
    // The flood went on meanwhile.
    expect(dots).toBeGreaterThan(before);
  } finally {
    flood.kill('SIGKILL');
    await once(flood, 'exit');
    viewer.destroy();
    producer.request.destroy();
  }
}, 30_000);
