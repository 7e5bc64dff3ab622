import type { Browser } from 'playwright-core';
import { launchBrowser } from '../client/browser.ts';
import { feed } from '../client/feed.ts';
import { watchOthers } from '../client/measure.ts';
import { story } from '../client/story.ts';
import { Figures, IDLE, LIVE, OPENED, RATE, SCRUBBED } from '../console/figures.ts';
import { IDLE_S, idle, live, visit } from '../console/measure.ts';
import { scrub } from '../console/scrub.ts';
import { toolStory } from '../console/tool-story.ts';
import { telltale } from '../contenders/index.ts';
import { withServer } from '../measure/trial.ts';
import { foreignNote, plain } from './cells.ts';
import type { Bench, Scenario } from './scenario.ts';

const EVENTS = 200_000;
/** Runs: two that have ended, one that goes on in each repetition, and one for each repetition that begins in it. */
const [WORDS, CALLS, LONG, FIRST] = [0, 1, 2, 3];

/** The console as it is served, with runs as long as they get: what it is like to open, to leave open and to watch. */
export const console: Scenario = async (bench) => {
  const browser = await launchBrowser();
  if (!browser) throw new Error('There is no Chromium here, which the console is measured in.');
  const events = bench.quick ? EVENTS / 20 : EVENTS;
  const figures = new Figures();
  const shares: { foreignShare: number }[] = [];
  try {
    await withServer(bench.load, telltale('telltale disk', 'disk'), async (server) => {
      const url = `http://127.0.0.1:${server.port}`;
      bench.say(`console: filling three runs of ${plain(events, 0)} events`);
      await server.open(FIRST + bench.reps);
      const drafts = story();
      await feed(url, `r${WORDS}`, { events });
      await feed(url, `r${CALLS}`, { events, drafts: toolStory() });
      await feed(url, `r${LONG}`, { events, drafts, isOpen: true });
      let told = events;
      for (let rep = 0; rep < bench.reps; rep++) {
        bench.say(`  repetition ${rep + 1} of ${bench.reps}`);
        const others = watchOthers();
        await openEnded(browser, url, events, figures);
        figures.add('replay', SCRUBBED, await scrub(url, `r${CALLS}`, events));
        told = await watchLive(bench, browser, { url, run: LONG, told, drafts }, figures);
        await watchLive(bench, browser, { url, run: FIRST + rep, told: 1, drafts: story() }, figures);
        shares.push({ foreignShare: others() });
      }
    });
  } finally {
    await browser.close();
  }
  const { missed, outcomes, table } = figures;
  return {
    title: `console: runs of ${plain(events, 0)} events, and ${plain(RATE, 0)} events/s`,
    tables: [table],
    notes: [
      'Times are from the click on a run in the list, in a profile without a cache, until the frame is painted that shows it. What must hold has to hold for the median.',
      `Idle: a run that has ended, from a second after it was shown, for ${IDLE_S} s. Frames: from one requestAnimationFrame to the next. A commit is one render of React that reached the page. A task counts when it took more than 50 ms. Replay: the run as it stood at one of its events, all over the run of calls, in Node.`,
      `Chromium ${browser.version()}, headless and without a GPU; it may use both cores, the server is on the first.`,
      `In all of this ${foreignNote(shares)}`,
    ],
    outcomes,
    missed: bench.quick ? [] : missed,
  };
};

async function openEnded(browser: Browser, url: string, events: number, figures: Figures): Promise<void> {
  await visit(browser, url, { runId: `r${WORDS}`, events }, async (_, opened) => {
    figures.add('open, most of it words', OPENED, opened);
  });
  await visit(browser, url, { runId: `r${CALLS}`, events }, async (page, opened) => {
    figures.add('open, most of it calls', OPENED, opened);
    figures.add('idle', IDLE, await idle(browser, page));
  });
}

interface LiveRun {
  readonly url: string;
  readonly run: number;
  readonly told: number;
  readonly drafts: ReturnType<typeof story>;
}

/** Resolves with the number of the last event. */
async function watchLive({ seconds }: Bench, browser: Browser, it: LiveRun, figures: Figures): Promise<number> {
  const { url, run, told, drafts } = it;
  const runId = `r${run}`;
  return visit(browser, url, { runId, events: told }, async (page) => {
    const found = await live(page, url, runId, { rate: RATE, told, drafts }, seconds);
    figures.add(told === 1 ? 'live from its beginning' : 'live, behind what was there', LIVE, found);
    return found.events;
  });
}
