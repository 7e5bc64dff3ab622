/** A real server, real producer processes, and a relay between them that can lose answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Telltale, telltale } from '../index.ts';
import { readAll, values } from '../testing/log/kit.ts';
import { Producer } from './index.ts';
import { type Relay, startRelay } from './relay.fixture.ts';

const KILLS = process.env.TELLTALE_LONG ? 100 : 6;

let app: Telltale;
let url: string;
let relay: Relay;

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  ({ url } = await app.listen(0));
  relay = await startRelay(() => url);
});

afterAll(async () => {
  relay.close();
  await app.close();
});

async function open(runId: string): Promise<void> {
  await app.start({ agent: 'elsewhere', runId, mode: 'remote' });
}

const note = (value: unknown) => ({ type: 'custom', data: { name: 'n', value } });
const stored = async (runId: string) => values(await readAll(await app.log(), runId));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);
const at = (base: string, runId: string) => `${base}/v1/runs/${runId}/events`;

/** Sends the numbers from its third argument on, for ever. */
const CHILD = `
import { Producer } from ${JSON.stringify(import.meta.resolve('./producer.ts'))};
const [url, from, epoch] = process.argv.slice(1);
const producer = new Producer(url, { id: 'child', from: Number(from), epoch: Number(epoch) });
try {
  for (let i = Number(from); ; i++) {
    await producer.send({ type: 'custom', data: { name: 'n', value: i } });
    if (i % 3 === 0) await producer.flush();
  }
} catch (error) {
  console.log(error.code);
}
`;
const produce = (runId: string, from: number, epoch = 0): ChildProcess =>
  spawn(
    process.execPath,
    ['--input-type=module-typescript', '--eval', CHILD, at(relay.url, runId), String(from), String(epoch)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

test(`P8: ${KILLS} times SIGKILL between sending and acknowledgement: one copy of everything, in order`, async () => {
  await open('killed');
  for (let i = 0; i < KILLS; i++) {
    const count = (await stored('killed')).length;
    // What a program knows of its progress when it begins again may be old.
    const from = Math.floor(Math.random() * (count + 1));
    let child: ChildProcess | undefined;
    let fresh = 0;
    relay.lose = (answer) => {
      const isNew = answer.split('\n').some((line) => line !== '' && !JSON.parse(line).duplicate);
      if (!isNew || ++fresh <= i % 3) return false;
      child?.kill('SIGKILL');
      return true;
    };
    child = produce('killed', from);
    await once(child, 'exit');
  }
  const all = await stored('killed');
  expect(all.length).toBeGreaterThan(KILLS);
  expect(all).toEqual(upTo(all.length));
}, 120_000);

test('P8: a process that slept while its successor took over is fenced when it wakes', async () => {
  await open('zombie');
  const seen = Promise.withResolvers<void>();
  relay.lose = () => {
    seen.resolve();
    return false;
  };
  const zombie = produce('zombie', 0, 0);
  try {
    await seen.promise;
    zombie.kill('SIGSTOP');
    const successor = new Producer(at(url, 'zombie'), { id: 'child', epoch: 1 });
    await successor.send(note('taken over'));
    await successor.close();
    zombie.kill('SIGCONT');
    const [said] = await once(zombie.stdout!, 'data');
    expect(String(said).trim()).toBe('producer_fenced');
    const all = await stored('zombie');
    expect(all).toEqual([...upTo(all.length - 1), 'taken over']);
  } finally {
    zombie.kill('SIGKILL');
  }
});

test('lost answers and a server that fails are healed', async () => {
  await open('healed');
  let turn = 0;
  relay.lose = () => turn++ % 3 !== 2;
  const troubles: string[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) =>
    turn++ % 4 === 0 ? new Response('<h1>Bad gateway</h1>', { status: 502 }) : globalThis.fetch(input, init);
  const producer = new Producer(at(relay.url, 'healed'), { fetch, onTrouble: ({ code }) => troubles.push(code) });
  for (const i of upTo(2_000)) await producer.send(note(i));
  await producer.close();
  expect(producer.acknowledged).toBe(2_000);
  expect(await stored('healed')).toEqual(upTo(2_000));
  expect(new Set(troubles)).toEqual(new Set(['unreachable']));
});

test('a gap is closed from what is kept: from the number that the log expects', async () => {
  await open('gap');
  let isLost = true;
  // Tells that the first batch was stored, when it was not.
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (!isLost) return globalThis.fetch(input, init);
    isLost = false;
    return new Response('{"epoch":"e","first":2,"last":4}\n');
  };
  const producer = new Producer(at(url, 'gap'), { fetch });
  for (const i of upTo(3)) await producer.send(note(i));
  await producer.flush();
  await producer.send(note(3));
  await producer.close();
  expect(await stored('gap')).toEqual(upTo(4));
});

test('what cannot be healed ends it, after what came before; memory is bounded', async () => {
  await open('bad');
  const producer = new Producer(at(url, 'bad'));
  await producer.send(note(0));
  await producer.send({ type: 'run.started', data: { agent: 'x' } });
  await expect(producer.flush()).rejects.toMatchObject({ code: 'reserved_type' });
  await expect(producer.send(note(1))).rejects.toMatchObject({ code: 'reserved_type' });
  expect([producer.acknowledged, await stored('bad')]).toEqual([1, [0]]);

  const gate = Promise.withResolvers<void>();
  await open('slow');
  const fetch: typeof globalThis.fetch = (input, init) => gate.promise.then(() => globalThis.fetch(input, init));
  const slow = new Producer(at(url, 'slow'), { fetch });
  let taken = 0;
  const filling = (async () => {
    for (; taken < 100; taken++) await slow.send(note('x'.repeat(200_000)));
  })();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(taken).toBeLessThan(25);
  gate.resolve();
  await filling;
  await slow.close();
  expect(await stored('slow')).toHaveLength(100);
});

test('commands reach the producer with the next acknowledgement', async () => {
  await open('asked');
  const asked: unknown[] = [];
  const producer = new Producer(at(url, 'asked'), { onCommands: (commands) => asked.push(...commands) });
  await fetch(`${url}/v1/runs/asked/cancel`, { method: 'POST' });
  await producer.send(note(0));
  await producer.flush();
  expect(asked).toMatchObject([{ command: 'cancel' }]);
});
