/** Small windows, large text, no motion and forced colours. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

describe.skipIf(!executablePath)('whoever sees or moves otherwise', () => {
  let stage: Stage;
  let page: Page;
  let url: string;
  const SCREENS: readonly [path: string, isThere: string][] = [
    ['/', '.runs-table'],
    ['/?find=nothing', '.runs .panel'],
    ['/runs/waits', '[data-slot=timeline-row]'],
    ['/runs/waits?view=frames', '.frame-data'],
    ['/runs/waits?view=json', '.json'],
    ['/runs/nothing', '.trouble'],
    ['/chat/talk', '.turn'],
  ];
  beforeAll(async () => {
    stage = await Stage.open();
    const { app, url: served } = await stage.serve((app) =>
      app.agent('waiter', async (run) => {
        await run.tool('search', { q: 'w'.repeat(300) }, () => ['w'.repeat(300)]);
        await run.say(`| a | b |\n|--|--|\n| ${'w'.repeat(300)} | 2 |`);
        await run.approve({ prompt: `Go on with ${'w'.repeat(300)}?` });
      }),
    );
    await app.start({ agent: 'waiter', runId: 'waits', threadId: 'talk', input: `Why ${'w'.repeat(300)}?` });
    url = served;
    ({ page } = await stage.visit('about:blank'));
    page.setDefaultTimeout(20_000);
  });
  afterAll(() => stage.close());

  test('nothing is wider than a window of 320 pixels, which is one of 1,280 at four times the size, or of 640', async () => {
    for (const [path, isThere] of SCREENS) {
      await page.goto(`${url}${path}`);
      await page.locator(isThere).first().waitFor({ state: 'attached' });
      for (const width of [640, 320]) {
        await page.setViewportSize({ width, height: 640 });
        const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect({ path, width, sideways }).toEqual({ path, width, sideways: 0 });
      }
    }
    await page.setViewportSize({ width: 1_280, height: 800 });
  }, 60_000);

  test('without motion and with forced colours nothing moves, and a shape and words still say how it stands', async () => {
    await page.emulateMedia({ reducedMotion: 'reduce', forcedColors: 'active' });
    await page.goto(`${url}/runs/waits`);
    const line = page.locator('.run-sentence [data-slot=connection-status]');
    await line.getByText(/Live · \d+ events/).waitFor();
    expect(await line.locator('[data-slot=glyph]').innerText()).toBe('●');
    const moving = await page.evaluate(
      () => document.getAnimations().filter((it) => it.effect?.getComputedTiming().iterations === Infinity).length,
    );
    expect(moving).toBe(0);
    await page.emulateMedia({ reducedMotion: null, forcedColors: null });
  });
});
