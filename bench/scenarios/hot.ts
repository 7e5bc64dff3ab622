import { floor } from '../contenders/index.ts';
import { loadNote } from './cells.ts';
import type { Scenario } from './scenario.ts';
import { steady, steadyTable } from './steady.ts';

const RATES = [20, 100];

/** One run that 1,000 people watch, at rates that every contender can take. */
export const hot: Scenario = async (bench) => {
  const viewers = bench.quick ? 50 : 1_000;
  const contenders = [...bench.contenders, floor];
  const tables = [];
  const outcomes = [];
  for (const rate of bench.quick ? RATES.slice(1) : RATES) {
    bench.say(`hot: 1 run, ${viewers} viewers, ${rate} events/s`);
    const offered = { runs: 1, viewersPerRun: viewers, rate, seconds: bench.seconds, warmS: 0.5, drainS: 5 };
    const these = await steady(bench, contenders, offered);
    const names = contenders.map((it) => it.name);
    tables.push(steadyTable(`${rate} events/s, ${rate * viewers} deliveries/s`, names, these));
    outcomes.push(...these);
  }
  return { title: `hot: one run, ${viewers} viewers`, tables, notes: [loadNote(outcomes)], outcomes };
};
