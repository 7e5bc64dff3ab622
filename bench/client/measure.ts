import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { Child, LOAD_CORE, SERVER_CORE } from '../measure/child.ts';
import { coreSeconds, cpuSeconds } from '../measure/proc.ts';
import { percentile, spread } from '../measure/statistics.ts';
import { type Chromium, heapBytes } from './browser.ts';
import { feed } from './feed.ts';
import type { Folded } from './fold.ts';
import type { Shows } from './page.tsx';

/** How often one process folds the same stream: once cold, then warm. */
const FOLDS = 5;
/** Of a live run, before frames are watched, and after, so that its end does not show in them. */
const WARM_S = 1;
const AFTER_S = 0.2;
const TIMEOUT_MS = 60_000;

/** Events per second, from bytes to snapshot. */
export interface FoldFigures {
  /** The first run that a page or process opens, with cold code, and the median of those after it. */
  readonly first: number;
  readonly warm: number;
  /** Microseconds of processor time per event, warm, those of the garbage collector included; in Node alone. */
  readonly cpuUs?: number;
}

export interface OpenFigures {
  readonly ms: number;
  readonly heapMB: number;
  readonly foreignShare: number;
}

export interface LiveFigures {
  /** Milliseconds from frame to frame. */
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
  /** Tasks of more than 50 ms: how many, and the longest. */
  readonly longTasks: number;
  readonly longestTask: number;
  readonly nodes: number;
  /** Events per second by which the number on the page went on. */
  readonly shown: number;
  readonly foreignShare: number;
}

/** Where a run is read: everything unmerged, as the server sends it. */
export const recorded = (runId: string): string => `/v1/runs/${runId}/stream?coalesce=off`;

export async function foldInNode(url: string, folder: string): Promise<FoldFigures> {
  const file = join(folder, 'recorded');
  writeFileSync(file, await (await fetch(`${url}${recorded('r0')}`)).bytes());
  const program = join(import.meta.dirname, 'fold-in-node.ts');
  const child = new Child(process.execPath, [program, file, String(FOLDS)], { core: LOAD_CORE });
  try {
    const { folds } = JSON.parse(await child.line(/"folds"/)) as {
      folds: (Folded & { cpuMs: number })[];
    };
    const cpuUs = folds.slice(1).map(({ events, cpuMs }) => (cpuMs * 1000) / events);
    return { ...figuresOf(folds), cpuUs: spread(cpuUs).median };
  } finally {
    await child.stop();
  }
}

export async function foldInChromium(chromium: Chromium, url: string): Promise<FoldFigures> {
  const folds = await chromium.visit(url, (page) =>
    page.evaluate(([path, times]) => window.page.fold(path, times), [recorded('r0'), FOLDS] as const),
  );
  return figuresOf(folds);
}

function figuresOf(folds: readonly Folded[]): FoldFigures {
  const [first = Number.NaN, ...warm] = folds.map(({ events, ms }) => (events * 1000) / ms);
  return { first, warm: spread(warm).median };
}

/** Opens the finished run in a page of its own. */
export function open(chromium: Chromium, url: string, merge: boolean): Promise<OpenFigures> {
  return chromium.visit(url, async (page) => {
    const others = watchOthers();
    const { ms, events } = await page.evaluate((merge) => window.page.open('r0', merge), merge);
    const foreignShare = others();
    const heapMB = (await heapBytes(page)) / 1e6;
    if ((await page.evaluate(() => window.page.held())) !== events) throw new Error('The page let go of the run.');
    return { ms, heapMB, foreignShare };
  });
}

/** A run that goes on at a rate, in events per second. */
export interface LiveRun {
  readonly url: string;
  readonly runId: string;
  readonly rate: number;
}

/** Shows a run from its beginning, and watches the page's frames for a while. */
export function live(chromium: Chromium, { url, runId, rate }: LiveRun, shows: Shows, seconds: number) {
  return chromium.visit(url, async (page): Promise<LiveFigures> => {
    const events = Math.ceil(rate * (WARM_S + seconds + AFTER_S));
    await page.evaluate(([runId, shows]) => window.page.show(runId, shows), [runId, shows] as const);
    const [figures] = await Promise.all([watch(page, seconds), feed(url, runId, { events, rate })]);
    // Late is what is measured; never would be an error.
    await page.waitForFunction((last) => document.querySelector('output')?.textContent === last, String(events), {
      timeout: TIMEOUT_MS,
    });
    return figures;
  });
}

async function watch(page: Page, seconds: number): Promise<LiveFigures> {
  await sleep(WARM_S * 1000);
  const others = watchOthers();
  const { deltas, longTasks, nodes, from, to, ms } = await page.evaluate(
    (ms) => window.page.watchFrames(ms),
    seconds * 1000,
  );
  return {
    p50: percentile(deltas, 50),
    p95: percentile(deltas, 95),
    max: Math.max(...deltas),
    longTasks: longTasks.length,
    longestTask: Math.max(0, ...longTasks),
    nodes,
    shown: ((to - from) * 1000) / ms,
    foreignShare: others(),
  };
}

/** What everything but the benchmark, its server and its browser takes of a core, from now on until it is asked. */
export function watchOthers(): () => number {
  const sample = () => ({
    wallS: performance.now() / 1000,
    ownS: cpuSeconds(process.pid),
    coresS: coreSeconds(SERVER_CORE) + coreSeconds(LOAD_CORE),
  });
  const before = sample();
  return () => {
    const after = sample();
    const foreignS = after.coresS - before.coresS - (after.ownS - before.ownS);
    return Math.max(0, foreignS / (after.wallS - before.wallS));
  };
}
