import { Chromium } from '../client/browser.ts';
import { feed } from '../client/feed.ts';
import {
  type FoldFigures,
  foldInChromium,
  foldInNode,
  type LiveFigures,
  live,
  type OpenFigures,
  open,
} from '../client/measure.ts';
import { telltale } from '../contenders/index.ts';
import { interleaved } from '../measure/statistics.ts';
import { withServer } from '../measure/trial.ts';
import { byContender, figure, foreignNote, plain, total } from './cells.ts';
import type { Scenario, Table } from './scenario.ts';

const EVENTS = 50_000;
const LIVE = [1_000, 2_000].flatMap((rate) => (['hooks', 'Timeline'] as const).map((shows) => ({ rate, shows })));

const nameOf = ({ rate, shows }: (typeof LIVE)[number]): string => `${plain(rate, 0)} events/s, ${shows}`;

/** One measurement, in a repetition in which `r0` has ended and `r1`, `r2` … are silent. */
type Way = (url: string, rep: number) => Promise<void>;
type Found<Figures> = Figures & { readonly contender: string; readonly rep: number };

/** The client's own figures: what a viewer costs its own machine, in Node and in a page. */
export const client: Scenario = async (bench) => {
  const events = bench.quick ? EVENTS / 10 : EVENTS;
  const folds: Found<FoldFigures>[] = [];
  const opens: Found<OpenFigures>[] = [];
  const lives: Found<LiveFigures>[] = [];
  const way =
    <Figures>(all: Found<Figures>[], contender: string, measure: (url: string) => Promise<Figures>): Way =>
    async (url, rep) => {
      bench.say(`  ${contender}`);
      all.push({ contender, rep, ...(await measure(url)) });
    };
  const pages = (chromium: Chromium): Way[] => [
    way(folds, 'Chromium', (url) => foldInChromium(chromium, url)),
    way(opens, 'merged', (url) => open(chromium, url, true)),
    way(opens, 'each alone', (url) => open(chromium, url, false)),
    ...LIVE.map((it, i) =>
      way(lives, nameOf(it), (url) =>
        live(chromium, { url, runId: `r${i + 1}`, rate: it.rate }, it.shows, bench.seconds),
      ),
    ),
  ];
  const chromium = await Chromium.launch();
  try {
    bench.say(
      `client: ${events} events of one run${chromium ? '' : '; there is no Chromium here, pages are left out'}`,
    );
    const ways = [
      way(folds, 'Node', (url) => foldInNode(url, bench.load.folder)),
      ...(chromium ? pages(chromium) : []),
    ];
    const turns = interleaved(ways, bench.reps);
    for (let rep = 0; rep < bench.reps; rep++) {
      await withServer(bench.load, telltale('telltale memory', 'memory'), async (server) => {
        const url = `http://127.0.0.1:${server.port}`;
        await server.open(1 + LIVE.length);
        await feed(url, 'r0', { events });
        for (const turn of turns) if (turn.rep === rep) await turn.it(url, rep);
      });
    }
  } finally {
    await chromium?.close();
  }
  return {
    title: `client: a run of ${plain(events, 0)} events, and one that goes on`,
    tables: [foldTable(folds), ...(chromium ? [openTable(opens), liveTable(lives)] : [])],
    notes: [
      'Events/s: from the bytes of a stream, each event alone, to the folded snapshot. "first" is the first run of a process or page, while its code is cold; "warm" the four after it.',
      ...(chromium
        ? [
            'ms: from `subscribe` until the connection is closed and the whole fold is shown. Heap: JavaScript values that the page holds with the run open, after a collection. "each alone" is `coalesce=off`.',
            'Frames: from one requestAnimationFrame to the next, in a page that shows the run with `useRun`, and with the newest 40 rows of `useTimeline` (hooks) or with the Timeline of telltale/react/parts. Shown: by how much the number on the page went on. Long tasks are of more than 50 ms.',
            `Chromium ${chromium.version}, headless and without a GPU; it may use both cores, Node folds on the second, the server is on the first.`,
            `In the windows of pages ${foreignNote([...opens, ...lives])}`,
          ]
        : ['There is no Chromium here: pages are left out.']),
    ],
    outcomes: [...folds, ...opens, ...lives],
  };
};

function foldTable(all: readonly Found<FoldFigures>[]): Table {
  const rows = byContender(['Node', 'Chromium'], all).map(({ name, of }) => [
    name,
    ...columns(of, 0, 'first', 'warm'),
    figure(of.map((it) => it.cpuUs ?? Number.NaN)),
  ]);
  return { caption: 'Parse and fold', head: ['', 'events/s, first', 'events/s, warm', 'CPU us/event, warm'], rows };
}

function openTable(all: readonly Found<OpenFigures>[]): Table {
  const rows = byContender(['merged', 'each alone'], all).map(({ name, of }) => [
    name,
    ...columns(of, 0, 'ms'),
    ...columns(of, 1, 'heapMB'),
  ]);
  return { caption: 'Opening it in Chromium, when it has ended', head: ['', 'ms', 'heap MB'], rows };
}

function liveTable(all: readonly Found<LiveFigures>[]): Table {
  const names = LIVE.map(nameOf);
  const rows = byContender(names, all).map(({ name, of }) => [
    name,
    ...columns(of, 1, 'p50', 'p95', 'max'),
    total(of, (it) => it.longTasks),
    ...columns(of, 0, 'longestTask', 'nodes', 'shown'),
  ]);
  return {
    caption: 'A React page of a live run',
    head: ['', 'frame p50 ms', 'p95 ms', 'max ms', 'long tasks', 'longest ms', 'DOM nodes', 'shown events/s'],
    rows,
  };
}

const columns = <K extends string>(of: readonly Record<K, number>[], digits: number, ...keys: K[]): string[] =>
  keys.map((key) =>
    figure(
      of.map((it) => it[key]),
      digits,
    ),
  );
