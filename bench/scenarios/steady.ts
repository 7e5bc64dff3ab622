import type { Contender } from '../contenders/index.ts';
import { interleaved } from '../measure/statistics.ts';
import { type Offer, type Outcome, offer } from '../measure/trial.ts';
import { byContender, figure, percent, ratio, total } from './cells.ts';
import type { Bench, Table } from './scenario.ts';

/** One offer to every contender in turn, `reps` times. */
export async function steady(bench: Bench, contenders: readonly Contender[], offered: Offer): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const { rep, it } of interleaved(contenders, bench.reps)) {
    const outcome = await offer(bench.load, it, rep, offered);
    bench.say(`  ${it.name}: ${outcome.cpuUs.toFixed(1)} us, p99 ${outcome.p99Ms.toFixed(1)} ms`);
    outcomes.push(outcome);
  }
  return outcomes;
}

export function steadyTable(caption: string, names: readonly string[], outcomes: readonly Outcome[]): Table {
  const rows = byContender(names, outcomes).map(({ name, of }) => [
    name,
    figure(of.map((it) => it.cpuUs)),
    ratio(outcomes, name, (it) => it.cpuUs),
    figure(of.map((it) => it.p50Ms)),
    figure(of.map((it) => it.p99Ms)),
    percent(Math.min(...of.map((it) => it.share))),
    figure(of.map((it) => it.bytesPerEvent).slice(0, 1), 0),
    total(of, (it) => it.gaps),
    total(of, (it) => it.repeats),
    total(of, (it) => it.missing),
  ]);
  const head = ['', 'CPU us/delivery', '× res.write', 'p50 ms', 'p99 ms', 'delivered', 'bytes/event'];
  return { caption, head: [...head, 'gaps', 'repeats', 'missing'], rows };
}
