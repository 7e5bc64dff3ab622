import { type Contender, floor } from '../contenders/index.ts';
import { interleaved } from '../measure/statistics.ts';
import { type Outcome, offer } from '../measure/trial.ts';
import { byContender, figure, loadNote, percent, plain, total } from './cells.ts';
import type { Bench, Scenario } from './scenario.ts';

/** A step is kept up with when so much of what was offered was delivered, and 99 % of it so soon. */
const SHARE = 0.98;
const P99_MS = 100;
const FIRST_RATE = 100;
const LAST_RATE = 12_800;
/** Short, since there are many steps. */
const WINDOW_S = 1.5;
const REPS = 2;

const keptUp = (it: Outcome): boolean => it.share >= SHARE && it.p99Ms <= P99_MS;

/** One run that 1,000 people watch, at twice the rate from step to step until the contender falls behind. */
export const saturation: Scenario = async (bench) => {
  const viewers = bench.quick ? 50 : 1_000;
  const contenders = [...bench.contenders, floor];
  const outcomes: Outcome[] = [];
  bench.say(`saturation: 1 run, ${viewers} viewers`);
  for (const { rep, it } of interleaved(contenders, Math.min(REPS, bench.reps)))
    outcomes.push(...(await climb(bench, it, rep, viewers)));

  const names = contenders.map((it) => it.name);
  const rows = byContender(names, outcomes).map(({ name, of }) => row(name, of));
  const head = ['', 'events/s', 'M deliveries/s', 'p50 ms', 'p99 ms', 'CPU us/delivery', 'events/frame', 'load CPU'];
  return {
    title: `saturation: the highest rate of one run that ${viewers} viewers get, ${percent(SHARE)} of it, p99 within ${P99_MS} ms`,
    tables: [{ head: [...head, 'at twice the rate', 'gaps', 'repeats'], rows }],
    notes: [
      loadNote(outcomes),
      'Each step offers twice the one before. The C floor is the limit of machine and load programs.',
    ],
    outcomes,
  };
};

function row(name: string, of: readonly Outcome[]): string[] {
  const reps = [...new Set(of.map((it) => it.rep))].map((rep) => of.filter((it) => it.rep === rep));
  const best = reps.flatMap((steps) => steps.filter(keptUp).slice(-1));
  const beyond = reps.flatMap((steps) => steps.slice(-1).filter((it) => !keptUp(it)))[0];
  const column = (value: (it: Outcome) => number, digits = 1): string => figure(best.map(value), digits);
  return [
    name,
    column((it) => it.offer.rate, 0),
    column((it) => it.delivered / 1e6, 3),
    column((it) => it.p50Ms),
    column((it) => it.p99Ms),
    column((it) => it.cpuUs, 2),
    column((it) => it.eventsPerFrame),
    best.length === 0 ? '–' : percent(Math.max(...best.map((it) => it.loadShare))),
    beyond ? `${percent(beyond.share)}, p99 ${plain(beyond.p99Ms, 0)} ms` : 'not tried',
    total(of, (it) => it.gaps),
    total(of, (it) => it.repeats),
  ];
}

async function climb(bench: Bench, contender: Contender, rep: number, viewers: number): Promise<Outcome[]> {
  const steps: Outcome[] = [];
  const last = bench.quick ? 2 * FIRST_RATE : LAST_RATE;
  const seconds = Math.min(WINDOW_S, bench.seconds);
  let kept = true;
  for (let rate = FIRST_RATE; kept && rate <= last; rate *= 2) {
    kept = false;
    // A pause of the machine is not the contender's limit: what it does not keep up with, it may try once more.
    for (let attempt = 0; attempt < 2 && !kept; attempt++) {
      const offered = { runs: 1, viewersPerRun: viewers, rate, seconds, warmS: 0.5, drainS: 1 };
      const outcome = await offer(bench.load, contender, rep, offered);
      bench.say(`  ${contender.name} ${rate}/s: ${percent(outcome.share)}, p99 ${outcome.p99Ms.toFixed(0)} ms`);
      steps.push(outcome);
      kept = keptUp(outcome);
    }
  }
  return steps;
}
