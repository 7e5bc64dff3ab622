import { loadNote } from './cells.ts';
import type { Scenario } from './scenario.ts';
import { steady, steadyTable } from './steady.ts';

/** Events per second of each run: 4,000 of all together, which every contender can take. */
const RATE = 2;

/** Many runs that one person each watches: what is paid is the intake. */
export const many: Scenario = async (bench) => {
  const runs = bench.quick ? 100 : 2_000;
  bench.say(`many: ${runs} runs, 1 viewer each, ${RATE} events/s each`);
  const offered = { runs, viewersPerRun: 1, rate: RATE * runs, seconds: bench.seconds, warmS: 1, drainS: 5 };
  const outcomes = await steady(bench, bench.contenders, offered);
  const names = bench.contenders.map((it) => it.name);
  return {
    title: `many: ${runs} runs with a viewer and a producer each, ${RATE} events/s each`,
    tables: [steadyTable(`${RATE * runs} events/s, CPU with intake`, names, outcomes)],
    notes: [
      loadNote(outcomes),
      'Events come over the network: an endless NDJSON request per run, for nchan a POST per event (it has nothing else). Only Telltale acknowledges lines; on disk, after the flush.',
    ],
    outcomes,
  };
};
