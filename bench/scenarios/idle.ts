import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender } from '../contenders/index.ts';
import { connectionLimit } from '../machine.ts';
import { cpuSeconds, residentBytes } from '../measure/proc.ts';
import { interleaved } from '../measure/statistics.ts';
import { trafficOf, withServer } from '../measure/trial.ts';
import { byContender, figure, total } from './cells.ts';
import type { Bench, Scenario } from './scenario.ts';

/** Every contender is set to a heartbeat each 15 s: the window sees each viewer's once. */
const HEARTBEAT_S = 15;
const WAKE_TIMEOUT_MS = 10_000;

interface Idle {
  readonly contender: string;
  readonly rep: number;
  readonly viewers: number;
  readonly kibPerViewer: number;
  readonly cpuShare: number;
  readonly heartbeats: number;
  readonly wakeP50Ms: number;
  readonly wakeMs: number;
  readonly gaps: number;
  readonly repeats: number;
  readonly missing: number;
}

/** Many viewers of a run in which nothing happens; then one event. */
export const idle: Scenario = async (bench) => {
  const viewers = bench.quick ? 500 : Math.min(10_000, connectionLimit());
  const seconds = bench.quick ? 1 : HEARTBEAT_S;
  bench.say(`idle: ${viewers} viewers of one run`);
  const outcomes: Idle[] = [];
  // Memory differs little from time to time, and a repetition takes long: one is enough.
  for (const { rep, it } of interleaved(bench.contenders, 1)) {
    outcomes.push({ ...(await one(bench, it, viewers, seconds)), rep });
    bench.say(`  ${it.name}: ${outcomes.at(-1)!.kibPerViewer.toFixed(1)} KiB`);
  }
  const names = bench.contenders.map((it) => it.name);
  const rows = byContender(names, outcomes).map(({ name, of }) => [
    name,
    figure(of.map((it) => it.kibPerViewer)),
    figure(of.map((it) => it.cpuShare * 100)),
    figure(
      of.map((it) => it.heartbeats / it.viewers),
      2,
    ),
    figure(
      of.map((it) => it.wakeP50Ms),
      0,
    ),
    figure(
      of.map((it) => it.wakeMs),
      0,
    ),
    total(of, (it) => it.gaps),
    total(of, (it) => it.repeats),
    total(of, (it) => it.missing),
  ]);
  const head = ['', 'KiB/viewer', 'CPU % while idle', 'heartbeats/viewer', 'wake-up p50 ms', 'all ms'];
  return {
    title: `idle: ${viewers.toLocaleString('en')} viewers of a silent run`,
    tables: [{ head: [...head, 'gaps', 'repeats', 'missing'], rows }],
    notes: [
      `KiB/viewer: resident memory of the server with its viewers less that without, and without the kernel's sockets. CPU: of a core, over ${seconds} s in which a heartbeat is due to each viewer every ${HEARTBEAT_S} s. Wake-up: one event, until half and until all of the viewers have it.`,
      'One repetition.',
    ],
    outcomes,
  };
};

async function one(bench: Bench, contender: Contender, viewers: number, seconds: number): Promise<Omit<Idle, 'rep'>> {
  return withServer(bench.load, contender, async (server) => {
    await server.open(1);
    // The first connection loads what is loaded once.
    await (await bench.load.watch(server.port, 1, [server.viewPath(0)])).stop();
    const empty = residentBytes(server.pid);
    const watching = await bench.load.watch(server.port, viewers, [server.viewPath(0)]);
    try {
      const before = cpuSeconds(server.pid);
      watching.reset();
      await sleep(seconds * 1000);
      const { comments } = await watching.report();
      const cpuShare = (cpuSeconds(server.pid) - before) / seconds;
      const kibPerViewer = (residentBytes(server.pid) - empty) / viewers / 1024;
      watching.reset();
      const producers = await bench.load.publish(trafficOf(server, 1, 1_000, 1));
      producers.go();
      await producers.done(WAKE_TIMEOUT_MS);
      await producers.stop();
      let seen = await watching.report();
      for (const end = performance.now() + WAKE_TIMEOUT_MS; seen.lowest < 1 && performance.now() < end; ) {
        await sleep(20);
        seen = await watching.report();
      }
      const { latency, gaps, repeats } = seen;
      return {
        contender: contender.name,
        viewers,
        kibPerViewer,
        cpuShare,
        heartbeats: comments,
        wakeP50Ms: latency.p50 / 1000,
        wakeMs: latency.max / 1000,
        gaps,
        repeats,
        missing: viewers - latency.count,
      };
    } finally {
      await watching.stop();
    }
  });
}
