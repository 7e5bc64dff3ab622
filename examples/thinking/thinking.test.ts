/** The example in Chromium, as its document draws it: indicator, chip, and a flyout that makes room for itself. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAiStub } from '../../src/adapters/openai-stub.fixture.ts';
import { executablePath, openBrowser, serve, violations } from '../example.fixture.ts';

const LINES = [
  '[Triage] agent invoked',
  '[Calendar] agent invoked',
  'Calling find_conflicts...',
  'find_conflicts finished',
  '[Calendar] agent finished',
  '[Triage] agent finished',
];

describe.skipIf(!executablePath)('examples/thinking in Chromium', { timeout: 20_000 }, () => {
  let browser: Browser;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const close of closing) await close();
  });

  async function served(env?: NodeJS.ProcessEnv): Promise<string> {
    const { url, stop } = await serve('thinking', [], env);
    closing.push(stop);
    return url;
  }
  const problems: string[] = [];
  async function open(url: string): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 844 } });
    const page = await context.newPage();
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(url);
    return page;
  }
  async function send(page: Page, message: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Message' }).fill(message);
    await page.getByRole('button', { name: 'Send' }).click();
  }
  const chip = (page: Page): Locator => page.getByRole('button', { name: /^Thinking finished · \d s · 3 steps$/ });
  const flyout = (page: Page): Locator => page.getByRole('dialog', { name: 'Thinking' });
  const box = async (it: Locator) => (await it.boundingBox())!;

  async function isTold(page: Page, answer: string): Promise<void> {
    await chip(page).waitFor();
    await page.getByText('By rules, no LLM.').waitFor();
    expect(await page.locator('.question').allTextContents()).toEqual(['Do any changes overlap?']);
    expect(await page.locator('.work .lines li').allTextContents()).toEqual(LINES);
    expect(await page.locator('.answer').allTextContents()).toEqual([answer]);
  }

  test('lines come while it thinks, then a chip; its flyout has them all, beside a panel that makes room', async () => {
    const url = await served();
    const page = await open(url);
    const second = await open(page.url());
    await send(page, 'Do any changes overlap?');
    const lines = page.locator('.work .lines li');
    const thinking = await box(page.getByRole('button', { name: 'Thinking…' }));
    await lines.getByText('Calling find_conflicts...').waitFor();
    expect(await lines.allTextContents()).toEqual(LINES.slice(0, 3));

    const answer =
      '• CHG-2041 (Replace the certificate of the payment gateway) and ' +
      'CHG-2045 (Payment retries: three instead of five) change Payments at the same time.\n' +
      '• CHG-2044 (Widen the address range of the office VPN) and ' +
      'CHG-2046 (New firmware for the core switches in hall B) change Network at the same time.\n\n' +
      'Of 8 open change requests. By rules, no LLM.';
    await page.getByText('By rules, no LLM.').waitFor();
    expect(await lines.first().isVisible()).toBe(false);
    expect(await box(chip(page))).toMatchObject({ x: thinking.x, y: thinking.y, height: thinking.height });

    const before = await box(page.locator('#panel'));
    await chip(page).click();
    const [panel, it] = [await box(page.locator('#panel')), await box(flyout(page))];
    expect(before.width).toBe(1280);
    expect(panel.width).toBe(1280 - it.width);
    expect(it).toMatchObject({ x: panel.width, y: 0, height: 844 });
    expect(await flyout(page).getByRole('listitem').allTextContents()).toEqual(LINES);
    expect(await violations(page)).toEqual([]);
    // Narrow by now: a sheet at the bottom, over a panel that is as wide as ever.
    expect((await box(page.locator('#panel'))).width).toBe(390);
    expect(await box(flyout(page))).toMatchObject({ x: 0, width: 390 });
    const sheet = await box(flyout(page));
    expect(sheet.y + sheet.height).toBe(844);
    await page.keyboard.press('Escape');
    await flyout(page).waitFor({ state: 'hidden' });
    await expect.poll(() => chip(page).evaluate((button) => button === document.activeElement)).toBe(true);
    await page.setViewportSize({ width: 1280, height: 844 });
    await page.keyboard.press('Enter');
    await flyout(page).getByRole('button', { name: 'Close' }).waitFor();
    await page.keyboard.press('Escape');
    await flyout(page).waitFor({ state: 'hidden' });
    await expect.poll(() => chip(page).evaluate((button) => button === document.activeElement)).toBe(true);
    expect(await box(page.locator('#panel'))).toEqual(before);
    expect(await violations(page)).toEqual([]);

    // Here it was heard, in the other tab as well, and after a reload it is read.
    for (const tab of [page, second]) await isTold(tab, answer);
    await page.reload();
    await isTold(page, answer);
    expect((await (await fetch(`${url}/v1/runs`)).json()).runs).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('with a model, the answer is what it writes, from what the desks found', async () => {
    const model = await openAiStub(() => ({ text: 'Move the firmware to Thursday.' }));
    closing.push(model.close);
    const page = await open(await served({ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'stub-1' }));
    await send(page, 'What overlaps?');
    await page.locator('.answer', { hasText: 'Move the firmware to Thursday.' }).waitFor();
    expect(JSON.stringify(model.requests[0]!.messages)).toContain('change Network at the same time');
  });
});
