import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeKey } from 'telltale';
import { type Contender, type Guard, telltale } from '../contenders/index.ts';
import { cpuSeconds } from '../measure/proc.ts';
import { interleaved } from '../measure/statistics.ts';
import { type Outcome, offer, withServer } from '../measure/trial.ts';
import { figure, loadNote } from './cells.ts';
import type { Bench, Scenario } from './scenario.ts';

const OPEN = 'open';
const RATE = 100;

interface Opened {
  readonly contender: string;
  readonly rep: number;
  /** Microseconds of the server's processor time for each stream that was opened. */
  readonly openUs: number;
}

/** What it costs to find out who asks: the same server without authentication, with API keys, and with tokens. */
export const auth: Scenario = async (bench) => {
  const viewers = bench.quick ? 50 : 1_000;
  const issuer = await startIssuer();
  const ways: readonly (readonly [Contender, Guard | undefined])[] = [
    [telltale(OPEN, 'memory'), undefined],
    ...Object.entries({ 'API key': keyGuard(bench), 'JWT (EdDSA)': issuer.guard }).map(
      ([name, guard]) => [telltale(name, 'memory', [], guard), guard] as const,
    ),
  ];
  bench.say(`auth: 1 run, ${viewers} viewers, ${RATE} events/s; then ${viewers} streams to open`);
  const offered = { runs: 1, viewersPerRun: viewers, rate: RATE, seconds: bench.seconds, warmS: 0.5, drainS: 5 };
  const outcomes: (Outcome & Opened)[] = [];
  try {
    for (const { rep, it } of interleaved(ways, bench.reps)) {
      const [contender, guard] = it;
      bench.load.token = guard?.token;
      const outcome = await offer(bench.load, contender, rep, offered);
      const openUs = await openStreams(bench, contender, bench.quick ? 500 : 4_000);
      bench.say(`  ${contender.name}: ${outcome.cpuUs.toFixed(2)} us/delivery, ${openUs.toFixed(0)} us/stream`);
      outcomes.push({ ...outcome, openUs });
    }
  } finally {
    bench.load.token = undefined;
    issuer.close();
  }
  const rows = ways.map(([{ name }]) => {
    const of = outcomes.filter((it) => it.contender === name);
    const base = (rep: number) => outcomes.find((it) => it.contender === OPEN && it.rep === rep)!;
    return [
      name,
      figure(
        of.map((it) => it.cpuUs),
        2,
      ),
      figure(
        of.map((it) => it.cpuUs / base(it.rep).cpuUs),
        3,
      ),
      figure(
        of.map((it) => it.openUs),
        0,
      ),
      figure(
        of.map((it) => it.openUs - base(it.rep).openUs),
        0,
      ),
    ];
  });
  return {
    title: 'auth: what it costs to know who asks',
    tables: [{ head: ['', 'CPU us/delivery', '× open', 'CPU us/stream opened', 'more than open'], rows }],
    notes: [
      loadNote(outcomes),
      'Ratios and differences are within each repetition. All streams of a server show one token, whose signature is verified once a minute.',
    ],
    outcomes,
  };
};

/** Twice: the first opening loads and compiles what is used. */
function openStreams(bench: Bench, contender: Contender, count: number): Promise<number> {
  return withServer(bench.load, contender, async (server) => {
    await server.open(1);
    const open = async (): Promise<number> => {
      const before = cpuSeconds(server.pid);
      const watching = await bench.load.watch(server.port, count, [server.viewPath(0)]);
      const seconds = cpuSeconds(server.pid) - before;
      await watching.stop();
      return (seconds * 1e6) / count;
    };
    await open();
    return open();
  });
}

const SCOPES = ['read', 'start'] as const;

function keyGuard(bench: Bench): Guard {
  const { key, entry } = makeKey({ userId: 'bench', scopes: SCOPES });
  const file = join(bench.load.folder, 'keys.json');
  writeFileSync(file, JSON.stringify([entry]));
  return { args: ['--keys', file], token: key };
}

/** Publishes a key, and signs one token with it. */
async function startIssuer(): Promise<{ readonly guard: Guard; close(): void }> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA' };
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys: [jwk] })));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const about = { iss: 'bench', aud: 'bench', sub: 'bench', scope: SCOPES.join(' ') };
  const exp = Math.floor(Date.now() / 1000) + 3_600;
  const text = `${encoded({ alg: 'EdDSA', kid: 'k' })}.${encoded({ ...about, exp })}`;
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    guard: {
      args: ['--jwks-url', url, '--issuer', 'bench', '--audience', 'bench'],
      token: `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`,
    },
    close: () => server.close(),
  };
}
