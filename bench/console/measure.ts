import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { heapBytes } from '../client/browser.ts';
import { feed } from '../client/feed.ts';
import type { Draft } from '../client/story.ts';
import { percentile } from '../measure/statistics.ts';
import { installProbe } from './probe.ts';

/** Of a live run, before frames are watched, and after, so that its end does not show in them. */
const WARM_S = 1;
const AFTER_S = 0.5;
/** An idle page: until what its opening left behind is done, and for how long it is watched then. */
const SETTLE_S = 1;
export const IDLE_S = 5;

/** What a run was like to open, from the list of runs. Times in milliseconds since the click. */
export interface Opened {
  readonly firstRows: number;
  readonly all: number;
  /** The longest task; 0 where none was longer than 50 ms. */
  readonly longestTask: number;
  /** Of the run's stream, on the wire. */
  readonly streamMB: number;
  /** JavaScript values that the page holds, after a collection. */
  readonly heapMB: number;
  readonly nodes: number;
  readonly commits: number;
  /** Processor time of the page until then, in milliseconds: another program on the machine does not change it. */
  readonly cpuMs: number;
}

/** What a page does in which nothing happens. */
export interface Idle {
  readonly timers: number;
  readonly frames: number;
  readonly cpuMs: number;
}

/** How smoothly a page shows a run that goes on. */
export interface Live {
  /** Number of the last event. */
  readonly events: number;
  readonly p95: number;
  readonly longestTask: number;
  /** Events per second by which the number on the page went on. */
  readonly shown: number;
  /** Renders of React per 1,000 events. */
  readonly commits: number;
  readonly nodes: number;
  readonly heapMB: number;
}

/** A run that goes on at a rate, in events per second. */
export interface Feeding {
  readonly rate: number;
  /** Number of the last event that is there. */
  readonly told: number;
  readonly drafts: Iterator<Draft>;
}

/** Opens the console, and in it a run that has `events`, in a profile and a process of its own. */
export async function visit<T>(
  browser: Browser,
  url: string,
  { runId, events }: { readonly runId: string; readonly events: number },
  use: (page: Page, opened: Opened) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  try {
    const page = await context.newPage();
    await page.addInitScript(installProbe);
    const link = `a[href$="runs/${runId}"]`;
    await page.goto(url);
    await page.waitForSelector(link);
    const cpu = await cpuTime(browser);
    const { firstRows, all, commits, longTasks, shown } = await page.evaluate(async (link) => {
      const { counts, longTasks, open, shown } = window.probe;
      const [before, tasks] = [counts.commits, longTasks.length];
      const { firstRows, all } = await open(link);
      return { firstRows, all, commits: counts.commits - before, longTasks: longTasks.slice(tasks), shown: shown() };
    }, link);
    const cpuMs = (await cpu()) * 1000;
    if (shown !== events) throw new Error(`The page of ${runId} shows ${shown} of ${events} events.`);
    const opened: Opened = {
      ...{ firstRows, all, commits, cpuMs },
      longestTask: Math.max(0, ...longTasks),
      streamMB: (await page.evaluate(streamBytes)) / 1e6,
      heapMB: (await heapBytes(page)) / 1e6,
      nodes: await page.evaluate(() => window.probe.nodes()),
    };
    return await use(page, opened);
  } finally {
    await context.close();
  }
}

/** Watches a page in which nothing happens. */
export async function idle(browser: Browser, page: Page): Promise<Idle> {
  await sleep(SETTLE_S * 1000);
  const counts = () => page.evaluate(() => ({ ...window.probe.counts }));
  const before = await counts();
  const cpu = await cpuTime(browser);
  await sleep(IDLE_S * 1000);
  const cpuMs = (await cpu()) * 1000;
  const after = await counts();
  return { timers: after.timers - before.timers, frames: after.frames - before.frames, cpuMs };
}

/** Watches the frames of a page while its run goes on. */
export async function live(page: Page, url: string, runId: string, feeding: Feeding, seconds: number): Promise<Live> {
  const events = feeding.told + Math.ceil(feeding.rate * (WARM_S + seconds + AFTER_S));
  const [figures] = await Promise.all([watch(page, seconds), feed(url, runId, { ...feeding, events, isOpen: true })]);
  // Late is what is measured; never would be an error.
  await page.waitForFunction((events) => window.probe.shown() === events, events);
  const nodes = await page.evaluate(() => window.probe.nodes());
  return { ...figures, events, nodes, heapMB: (await heapBytes(page)) / 1e6 };
}

async function watch(page: Page, seconds: number) {
  await sleep(WARM_S * 1000);
  const { deltas, longTasks, shown, commits, ms } = await page.evaluate(async (ms) => {
    const { probe } = window;
    const [tasks, from, commits, start] = [
      probe.longTasks.length,
      probe.shown(),
      probe.counts.commits,
      performance.now(),
    ];
    const deltas = await probe.frames(ms);
    return {
      deltas,
      longTasks: probe.longTasks.slice(tasks),
      shown: probe.shown() - from,
      commits: probe.counts.commits - commits,
      ms: performance.now() - start,
    };
  }, seconds * 1000);
  return {
    p95: percentile(deltas, 95),
    longestTask: Math.max(0, ...longTasks),
    shown: (shown * 1000) / ms,
    commits: (commits * 1000) / shown,
  };
}

/** Runs in the page: of the run's stream, which is the only one of that name. */
function streamBytes(): number {
  const all = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  return all.find(({ name }) => name.endsWith('/stream'))?.encodedBodySize ?? Number.NaN;
}

/** Seconds that the browser's pages use from now on until it is asked. */
async function cpuTime(browser: Browser): Promise<() => Promise<number>> {
  const devtools = await browser.newBrowserCDPSession();
  const now = async (): Promise<number> => {
    const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
    return processInfo.reduce((sum, { type, cpuTime }) => sum + (type === 'renderer' ? cpuTime : 0), 0);
  };
  const before = await now();
  return async () => {
    const after = await now();
    await devtools.detach();
    return after - before;
  };
}
