import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { follow } from './client/index.ts';
import type { TelltaleEvent } from './protocol/index.ts';

const KILLS = 50;

/** An agent that never ends by itself and always has something to say. */
const AGENTS = `
export async function ticker(run) {
  for (let n = 0; !run.signal.aborted; n++) {
    await run.tool('tick', { n }, () => n);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
`;

describe('SIGKILL of the server in the middle of runs (P1, P7, P10)', () => {
  let dir: string;
  let url: string;
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = ['serve', join(dir, 'agents.mjs'), '--data', join(dir, 'data'), '--port', new URL(url).port];
    // As users run it, built: it starts twice as fast as the source.
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'dist', 'cli', 'main.js'), ...args], {
      stdio: 'ignore',
    });
    server = child;
    for (;;) {
      if (child.exitCode !== null) throw new Error(`The server ended with ${child.exitCode}`);
      const ready = await fetch(`${url}/readyz`).catch(() => undefined);
      await ready?.body?.cancel();
      if (ready?.ok) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async function kill(): Promise<void> {
    const closed = once(server!, 'close');
    server!.kill('SIGKILL');
    await closed;
  }

  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-crash-'));
    await writeFile(join(dir, 'agents.mjs'), AGENTS);
    url = `http://127.0.0.1:${await freePort()}`;
  });

  afterAll(async () => {
    if (server?.exitCode === null && server.signalCode === null) await kill();
    await rm(dir, { recursive: true, force: true });
  });

  test(`${KILLS} times: nothing acknowledged is lost, nothing is seen twice, each run ends once as executor_lost`, async () => {
    await start();
    expect((await post('/v1/runs', { agent: 'remote', runId: 'remote', mode: 'remote' })).status).toBe(201);

    // A viewer that stays for the whole test, over every restart.
    const seen: TelltaleEvent[] = [];
    const viewer = watch(`${url}/v1/runs/remote/stream`, (event) => seen.push(event));

    // A producer that repeats every append until it is acknowledged.
    const acked = new Map<number, string>();
    let stop = false;
    const producer = (async () => {
      for (let n = 0; !stop; n++) {
        const data = { name: 'n', value: { n, filler: 'x'.repeat(n % 300) } };
        const headers = { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': String(n) };
        for (;;) {
          const answer = await post('/v1/runs/remote/events', { events: [{ type: 'custom', data }] }, headers).catch(
            () => undefined,
          );
          const ack = answer?.ok
            ? ((await answer.json().catch(() => undefined)) as { first: number } | undefined)
            : undefined;
          if (ack) {
            acked.set(ack.first, hash(data));
            break;
          }
          if (answer && answer.status < 500 && answer.status !== 200) throw new Error(await answer.text());
          // Down or going down: asking without a pause would only take the processor from the server that starts.
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    })();

    const runs: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      const runId = `ticker-${round}`;
      runs.push(runId);
      expect((await post('/v1/runs', { agent: 'ticker', runId })).status).toBe(201);
      // At least one tool call of this run was acknowledged, and a bit more, different each time.
      await until(`${url}/v1/runs/${runId}/stream`, (event) => event.type === 'tool.completed', 1 + ((round * 7) % 20));
      await kill();
      await start();
    }
    stop = true;
    await producer;
    const end = await post('/v1/runs/remote/events', { events: [{ type: 'run.completed', data: {} }] });
    expect(end.status).toBe(200);
    await viewer;

    expect(seen.map((event) => event.seq)).toEqual(Array.from(seen, (_, i) => i + 1));
    expect(acked.size).toBeGreaterThan(KILLS);
    for (const [seq, digest] of acked) expect(hash(seen[seq - 1]!.data), `event ${seq}`).toBe(digest);
    const values = seen
      .filter((event) => event.type === 'custom')
      .map((event) => (event.data as { value: { n: number } }).value.n);
    expect(values, 'each append once, in order').toEqual(Array.from(values, (_, i) => i));

    for (const runId of runs) {
      const events: TelltaleEvent[] = [];
      await watch(`${url}/v1/runs/${runId}/stream`, (event) => events.push(event));
      expect(events.map((event) => event.seq)).toEqual(Array.from(events, (_, i) => i + 1));
      expect(events.filter((event) => /^run\.(completed|failed|cancelled)$/.test(event.type))).toHaveLength(1);
      expect(events.at(-1)).toMatchObject({ type: 'run.failed', data: { error: { code: 'executor_lost' } } });
    }
  }, 180_000);
});

async function watch(url: string, listener: (event: TelltaleEvent) => void): Promise<void> {
  for await (const item of follow(url)) {
    if (item.kind === 'reset') throw new Error(`Reset without cause: ${JSON.stringify(item)}`);
    if (item.kind === 'event') listener(item.event);
  }
}

/** Follows a stream until the condition held `times` times. */
async function until(url: string, condition: (event: TelltaleEvent) => boolean, times: number): Promise<void> {
  const controller = new AbortController();
  let left = times;
  for await (const item of follow(url, { signal: controller.signal })) {
    if (item.kind === 'event' && condition(item.event) && --left === 0) break;
  }
  controller.abort();
}

const hash = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  await once(probe, 'close');
  return port;
}
