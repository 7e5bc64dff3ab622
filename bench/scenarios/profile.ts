import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { telltale } from '../contenders/index.ts';
import { byPlace, readProfile, type SelfTime } from '../measure/profile.ts';
import { trafficOf } from '../measure/trial.ts';
import { percent, plain } from './cells.ts';
import type { Bench, Scenario, Table } from './scenario.ts';

const SHOWN = 14;
/** Microseconds between samples. */
const INTERVAL = 200;
const WARM_S = 1;

/** Where the processor time of Telltale goes: one run with many viewers, and many runs with one each. */
export const profile: Scenario = async (bench) => {
  const scale = bench.quick ? 0.05 : 1;
  const hot = await one(bench, 1, 1_000 * scale, 100);
  const many = await one(bench, 2_000 * scale, 1, 4_000 * scale);
  return {
    title: 'profile: self time of telltale memory, by place',
    tables: [
      ...tables('1 run × 1,000 viewers, 100 events/s', hot),
      ...tables('2,000 runs × 1 viewer, 2 events/s each', many),
    ],
    notes: [
      `One run: ${1_000 * scale} viewers, 100 events/s. Many: ${2_000 * scale} runs, 2 events/s each.`,
      'Sampled by V8 (--cpu-prof); idle time is left out. A kernel call counts for the function that makes it.',
    ],
    outcomes: [{ hot, many }],
  };
};

async function one({ load, seconds, say }: Bench, runs: number, viewersPerRun: number, rate: number) {
  say(`profile: ${runs} runs, ${viewersPerRun} viewers each, ${rate} events/s`);
  const folder = mkdtempSync(join(load.folder, 'profile-'));
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL}`];
  const server = await telltale('telltale memory', 'memory', flags).start(load, folder);
  let [from, to] = [0, 0];
  try {
    await server.open(runs);
    const views = Array.from({ length: runs }, (_, run) => server.viewPath(run));
    const viewers = await load.watch(server.port, runs * viewersPerRun, views);
    const producers = await load.publish(trafficOf(server, runs, rate, rate * (WARM_S + seconds)));
    producers.go();
    await sleep(WARM_S * 1000);
    from = nowUs();
    await sleep(seconds * 1000);
    to = nowUs();
    await Promise.all([producers.stop(), viewers.stop()]);
  } finally {
    // Its profile is written when it ends by itself.
    await server.stop();
  }
  return readProfile(folder, from, to);
}

const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

function tables(title: string, times: readonly SelfTime[]): Table[] {
  const all = times.reduce((sum, it) => sum + it.us, 0);
  const places = byPlace(times).slice(0, SHOWN);
  const functions = times.filter(({ place }) => !place.startsWith('native') && place !== 'garbage collection');
  return [
    {
      caption: `${title}: ${plain(all / 1000, 0)} ms in all`,
      head: ['place', 'ms', 'share'],
      rows: places.map(({ place, us }) => [place, plain(us / 1000, 0), percent(us / all)]),
    },
    {
      caption: 'of that, JavaScript by function',
      head: ['function', 'place', 'share'],
      rows: functions.slice(0, SHOWN).map(({ place, name, us }) => [name, place, percent(us / all)]),
    },
  ];
}
