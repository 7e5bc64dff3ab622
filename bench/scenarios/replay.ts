import { type Contender, floor, type Server } from '../contenders/index.ts';
import { cpuSeconds } from '../measure/proc.ts';
import { interleaved } from '../measure/statistics.ts';
import { DELTA, trafficOf, withServer } from '../measure/trial.ts';
import { byContender, figure, total } from './cells.ts';
import type { Bench, Scenario, Table } from './scenario.ts';

const FILL_RATE = 20_000;
const HERD = 50;
const TIMEOUT_MS = 60_000;

interface Replay {
  readonly contender: string;
  readonly rep: number;
  readonly viewers: number;
  readonly firstByteMs: number;
  readonly ms: number;
  readonly megabytesPerS: number;
  readonly eventsPerFrame: number;
  readonly cpuMs: number;
  readonly gaps: number;
  readonly repeats: number;
}

/** A way to read history: from memory or disk, with deltas merged or each alone. */
interface Way {
  readonly name: string;
  readonly contender: Contender;
  readonly merge: boolean;
}

/** Who comes late reads everything: one viewer, and many at once. */
export const replay: Scenario = async (bench) => {
  const events = bench.quick ? 1_000 : 10_000;
  bench.say(`replay: ${events} deltas of one answer`);
  const ways = [...bench.contenders, floor].filter((it) => it.keeps !== 'nothing').flatMap(waysOf);
  const outcomes: Replay[] = [];
  for (const { rep, it } of interleaved(ways, bench.reps)) {
    await withServer(bench.load, it.contender, async (empty) => {
      const server = await filled(bench, empty, events);
      try {
        for (const viewers of [1, HERD]) outcomes.push({ ...(await read(bench, server, it, events, viewers)), rep });
      } finally {
        if (server !== empty) await server.stop();
      }
      bench.say(`  ${it.name}: ${outcomes.slice(-2).map(({ ms }) => `${ms.toFixed(0)} ms`)}`);
    });
  }
  const names = ways.map((it) => it.name);
  const none = bench.contenders.filter((it) => it.keeps === 'nothing').map((it) => it.name);
  return {
    title: `replay: ${events.toLocaleString('en')} events of one run`,
    tables: [1, HERD].map((viewers) => tableOf(viewers, names, none, outcomes)),
    notes: [
      'ms: from the request until the (last) viewer has the last event. "each alone" is `coalesce=off`: a frame per event; by default Telltale merges the deltas of history, and the same text is fewer bytes.',
      'Disk: the server was stopped and started again after the run was filled, so nothing is in its memory, and its code is cold; the files are in the page cache.',
      'The C floor sends its memory as it is: what comes near it is limited by the load programs.',
      '–: keeps no history to replay.',
    ],
    outcomes,
  };
};

function waysOf(contender: Contender): Way[] {
  const { name } = contender;
  if (!name.startsWith('telltale')) return [{ name, contender, merge: true }];
  return [
    { name, contender, merge: true },
    { name: `${name}, each alone`, contender, merge: false },
  ];
}

async function filled(bench: Bench, server: Server, events: number): Promise<Server> {
  await server.open(1);
  const producers = await bench.load.publish(trafficOf(server, 1, FILL_RATE, events, DELTA));
  producers.go();
  await producers.done(TIMEOUT_MS);
  await producers.stop();
  return (await server.restart?.()) ?? server;
}

async function read(bench: Bench, server: Server, way: Way, events: number, viewers: number) {
  const before = cpuSeconds(server.pid);
  const path = server.viewPath(0, { merge: way.merge });
  const watching = await bench.load.watch(server.port, viewers, [path], events);
  try {
    await watching.finished(TIMEOUT_MS);
    const seen = await watching.report();
    return {
      contender: way.name,
      viewers,
      firstByteMs: seen.firstByte.p50 / 1000,
      ms: seen.finish.max / 1000,
      megabytesPerS: seen.bytes / seen.finish.max,
      eventsPerFrame: seen.events / seen.frames,
      cpuMs: (cpuSeconds(server.pid) - before) * 1000,
      gaps: seen.gaps,
      repeats: seen.repeats,
    };
  } finally {
    await watching.stop();
  }
}

function tableOf(viewers: number, names: readonly string[], none: readonly string[], all: readonly Replay[]): Table {
  const outcomes = all.filter((it) => it.viewers === viewers);
  const rows = byContender(names, outcomes).map(({ name, of }) => [
    name,
    figure(of.map((it) => it.firstByteMs)),
    figure(of.map((it) => it.ms)),
    figure(
      of.map((it) => it.megabytesPerS),
      0,
    ),
    figure(of.map((it) => it.eventsPerFrame).slice(0, 1), 1),
    figure(
      of.map((it) => it.cpuMs),
      0,
    ),
    total(of, (it) => it.gaps),
    total(of, (it) => it.repeats),
  ]);
  const empty = none.map((name) => [name, ...Array.from({ length: 7 }, () => '–')]);
  return {
    caption: viewers === 1 ? 'One viewer' : `${viewers} viewers at once`,
    head: ['', 'first byte ms', 'ms', 'MB/s', 'events/frame', 'server CPU ms', 'gaps', 'repeats'],
    rows: [...rows, ...empty],
  };
}
