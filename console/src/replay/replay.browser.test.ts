/** The replay in Chromium: any moment of a run on its own screen, and live again. */
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import type { AgentFunction } from 'telltale';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

/** The clock of the log alone: whoever replays it has to wait for it, or not. */
const passes = (ms: number): unknown => vi.setSystemTime(Date.now() + ms);

/** Two steps, an error, a wait of ten seconds, and a gate: what the page shows there is the live fold at that number. */
const auditor =
  (gate: Promise<void>): AgentFunction =>
  async (run) => {
    await run.plan('Find out why', ['Read', 'Search', 'Report']);
    await run.step('Read', async () => {
      await run.think('First I read the ticket.');
      passes(300);
    });
    await run.step('Search', async () => {
      await run.tool('search', { q: '8f2c' }, () => ({ hits: 14 }));
      passes(10_000);
      await run.tool('list_changes', {}, () => Promise.reject(new Error('timed out'))).catch(() => {});
      await gate;
    });
    await run.step('Report', () => run.say('It was a retry.'));
  };

const slider = (page: Page) => page.getByRole('slider', { name: 'Moment of the run' });
const place = (page: Page) => slider(page).getAttribute('aria-valuetext');
const at = (page: Page) => new URL(page.url()).searchParams.get('at');
const shows = (page: Page, text: string | RegExp) => page.locator('.replay-moment').getByText(text).first().waitFor();
const texts = (page: Page) =>
  page.locator(':is(.steps, .story, .answer)').evaluateAll((all) => all.map((it) => (it as HTMLElement).innerText));

/** Every timer that was set and did not fire, but for the one by which a cache of requests forgets, minutes later. */
function countTimers(): void {
  const pending = new Set<unknown>();
  Object.assign(window, { pending });
  for (const [set, clear] of [
    ['setTimeout', 'clearTimeout'],
    ['setInterval', 'clearInterval'],
    ['requestAnimationFrame', 'cancelAnimationFrame'],
  ] as const) {
    const [start, stop] = [window[set] as (...given: unknown[]) => unknown, window[clear] as (id: unknown) => void];
    Object.assign(window, {
      [set](act: (...given: unknown[]) => void, ...more: unknown[]) {
        const id = start.call(
          window,
          (...given: unknown[]) => {
            if (set !== 'setInterval') pending.delete(id);
            act(...given);
          },
          ...more,
        );
        if (Number(more[0] ?? 0) < 60_000) pending.add(id);
        return id;
      },
      [clear](id: unknown) {
        pending.delete(id);
        stop.call(window, id);
      },
    });
  }
}
const isQuiet = (page: Page) =>
  page.waitForFunction(() => (window as unknown as { pending: Set<unknown> }).pending.size === 0, undefined, {
    polling: 50,
  });

describe.skipIf(!executablePath)('the replay of a run', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await stage.clear();
  });
  afterAll(() => stage?.close());

  test('a run that is over: by keys, by the hand, from mark to mark, by a link, by itself, and no timer afterwards', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { app, url } = await stage.serve((it) => it.agent('auditor', auditor(promise)));
    const { finished } = await app.start({ agent: 'auditor', runId: 'audit', input: 'Why?' });
    // Live, as far as the gate.
    const { page, problems } = await stage.visit(`${url}/runs/audit`);
    page.setDefaultTimeout(6_000);
    await page.locator('.story').getByText('timed out').first().waitFor();
    const live = await texts(page);
    const gate = Number(await slider(page).getAttribute('aria-valuenow'));
    resolve();
    const { seq: last } = await finished();
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in/)
      .waitFor();
    expect(await place(page)).toContain(`the end, event ${last} of ${last}`);

    // A link: another page, the same content as the live one had.
    const { page: other } = await stage.visit(`${url}/runs/audit?at=${gate}`);
    await shows(other, `event ${gate} of ${last}`);
    await other.locator('.story').getByText('timed out').first().waitFor();
    expect(await texts(other)).toEqual(live);
    expect(await place(other)).toBe(`event ${gate} of ${last}, 10 s, step 2 Search`);
    await other.goto(`${url}/runs/audit?at=4000`);
    await shows(other, `There is no event 4,000: the run ended with event ${last}, which is shown.`);

    // Keys: first, on, ten on, the next step, back.
    await slider(page).focus();
    await page.keyboard.press('Home');
    await shows(page, `event 1 of ${last}`);
    await page.keyboard.press('ArrowRight');
    await shows(page, `event 2 of ${last}`);
    await page.keyboard.press('Shift+ArrowRight');
    await shows(page, `event 12 of ${last}`);
    await page.keyboard.press('PageDown');
    await page.keyboard.press('PageDown');
    await shows(page, 'Step Read · running');
    await page.keyboard.press('PageUp');
    await shows(page, 'Step Search · running');
    expect(await place(page)).toMatch(/step 2 Search$/);

    // From mark to mark; one step back in the browser's history each.
    const before = await page
      .locator('.replay-moment')
      .getByText(/^event/)
      .textContent();
    await page.waitForURL((it) => it.searchParams.has('at'));
    await page.getByRole('button', { name: 'Next error' }).click();
    await shows(page, /Error timed out/);
    expect(await page.locator('.story').getByText('timed out').count()).toBeGreaterThan(0);
    await page.waitForURL((it) => it.searchParams.get('at') === String(gate));
    const { violations } = await audit(page);
    expect(violations).toEqual([]);
    await page.goBack();
    await shows(page, before as string);

    // The hand: to the middle, then beyond the right edge.
    const box = await slider(page).boundingBox();
    const { x, y, width } = box as NonNullable<typeof box>;
    await page.mouse.move(x + width * 0.2, y + 30);
    await page.mouse.down();
    await page.mouse.move(x + width * 0.5, y + 30, { steps: 5 });
    await shows(page, 'Tool search · done');
    await page.mouse.move(x + width + 50, y - 100, { steps: 2 });
    await page.mouse.up();
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in/)
      .waitFor();
    await page.waitForURL((it) => !it.searchParams.has('at'));

    // By itself, where every timer is counted: ten seconds of waiting are passed over.
    await page.addInitScript(countTimers);
    await page.goto(`${url}/runs/audit?at=1`);
    await shows(page, `event 1 of ${last}`);
    await isQuiet(page);
    await slider(page).evaluate((it) => {
      const seen: number[] = [];
      new MutationObserver(() => seen.push(Number(it.ariaValueNow))).observe(it, {
        attributeFilter: ['aria-valuenow'],
      });
      Object.assign(window, { seen });
    });
    const began = performance.now();
    await page.getByRole('button', { name: 'Play the replay' }).click();
    await shows(page, `event ${last} of ${last}`);
    await page.getByRole('button', { name: 'Play the replay' }).waitFor();
    expect(performance.now() - began).toBeLessThan(9_000);
    const seen = await page.evaluate(() => (window as unknown as { seen: number[] }).seen);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen).toEqual([...seen].sort((one, two) => one - two));
    await page.waitForURL((it) => it.searchParams.get('at') === String(last));
    await isQuiet(page);
    expect(problems).toEqual([]);
  }, 60_000);

  test('a run that goes on: what comes while the view is paused is counted, and nothing of it is missed', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const { app, url } = await stage.serve((it) =>
      it.agent('counter', async (run) => {
        for (let i = 0; i < 5; i++) run.emit('activity.reported', { action: `step ${i}`, status: 'completed' });
        await gates[0].promise;
        for (let i = 0; i < 50; i++) run.emit('activity.reported', { action: `step ${i}`, status: 'completed' });
        await gates[1].promise;
      }),
    );
    const { finished } = await app.start({ agent: 'counter', runId: 'counts', input: {} });
    const { page, problems } = await stage.visit(`${url}/runs/counts`);
    await page.waitForFunction(() => document.querySelectorAll('[data-slot="timeline-row"]').length === 5);
    await page.locator('.replay-edge').getByText('LIVE').waitFor();
    await page.keyboard.press('p');
    const paused = Number(await slider(page).getAttribute('aria-valuenow'));
    await shows(page, `View paused at ${paused} · 0 new`);
    const shown = await texts(page);
    gates[0].resolve();
    await shows(page, `View paused at ${paused} · 50 new`);
    expect(await texts(page)).toEqual(shown);
    await page.waitForURL((it) => it.searchParams.get('at') === String(paused));
    await page.getByRole('button', { name: 'Go live' }).click();
    await page.locator('.replay-edge').getByText('LIVE').waitFor();
    await page.waitForFunction(
      () => document.querySelector('[data-slot="timeline-row"]')?.getAttribute('aria-setsize') === '55',
    );
    await page.waitForURL((it) => !it.searchParams.has('at'));
    expect(at(page)).toBeNull();
    gates[1].resolve();
    await finished();
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in/)
      .waitFor();
    expect(problems).toEqual([]);
  });
});

async function audit(page: Page): Promise<{ violations: string[] }> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: typeof axe }).axe.run('.replay', { resultTypes: ['violations'] }),
  );
  return { violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join()}`) };
}
