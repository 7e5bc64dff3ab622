/** The parts in Chromium, on a real server: what opens by itself, what time says, what is told aloud, what is obeyed. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { END } from '../../hub/drafts.fixture.ts';
import { executablePath, Stage } from '../browser.fixture.ts';
import { everything, heard, listen, open, parts, said, thought, thoughtEnds, write } from './scene.fixture.ts';

const START = ['run.started', { agent: 'a' }] as const;
const waitFor = (page: Page, text: string) => page.getByText(text).first().waitFor({ timeout: 10_000 });
const isExpanded = (page: Page, value: boolean) =>
  page.locator(`[data-slot=thinking-trigger][aria-expanded=${value}]`).waitFor({ timeout: 10_000 });

describe.skipIf(!executablePath)('the parts in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19, 'parts/page.fixture.tsx');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  describe('what opens and closes by itself', () => {
    test('thinking is open while it lasts, through a tool call, and closes with the answer', async () => {
      const { log, url } = await stage.serve();
      await write(log, 0, START, thought('1', 'Hm.'));
      const { page, problems } = await open(stage, url, 'Thinking');
      await isExpanded(page, true);
      await waitFor(page, 'Hm.');
      await write(log, 3, thoughtEnds('1'), ['tool.called', { toolCallId: 'x', name: 'x', args: {} }]);
      await waitFor(page, 'Thinking… · 3 s · 1 tool');
      await isExpanded(page, true);
      await write(log, 12, said('Because'));
      await isExpanded(page, false);
      await waitFor(page, 'Thinking finished · 3 s · 1 tool');
      expect(problems).toEqual([]);
    });

    test('closed by hand it never opens again; opened by hand it is not closed', async () => {
      const { log, url } = await stage.serve();
      await write(log, 0, START, thought('1', 'Hm.'));
      const { page } = await open(stage, url, 'Thinking');
      const chip = page.locator('[data-slot=thinking-trigger]');
      await isExpanded(page, true);
      await chip.press('Enter');
      await isExpanded(page, false);
      await write(log, 1, thought('1', ' More.'), thoughtEnds('1'), thought('2', 'Again.'));
      await page.waitForFunction(() => document.body.textContent?.includes('Thinking…'));
      await isExpanded(page, false);
      await chip.press('Space');
      await isExpanded(page, true);
      await write(log, 2, thoughtEnds('2'), said('So'), END);
      await waitFor(page, 'Thinking finished');
      await isExpanded(page, true);
      await waitFor(page, 'Again.');
    });

    test('who reads inside is not shut out', async () => {
      const { log, url } = await stage.serve();
      await write(log, 0, START, thought('1', 'Hm.'));
      const { page } = await open(stage, url, 'Thinking');
      await page.getByText('Hm.').click();
      await write(log, 2, thoughtEnds('1'), said('So'), END);
      await waitFor(page, 'Thinking finished');
      await isExpanded(page, true);
    });

    test('always, never, and the page decides', async () => {
      const { log, url } = await stage.serve();
      await write(log, 0, START, thought('1', 'Hm.'));
      const { page } = await open(stage, url, 'Never');
      await isExpanded(page, false);
      await write(log, 2, thoughtEnds('1'), said('So'), END);
      await parts(page, 'Always');
      await waitFor(page, 'Thinking finished');
      await isExpanded(page, true);
      await parts(page, 'Controlled');
      await isExpanded(page, false);
      const chip = page.locator('[data-slot=thinking-trigger]');
      await chip.click();
      await page.locator('#asked').getByText('1').waitFor();
      await isExpanded(page, false);
      await chip.click();
      await isExpanded(page, true);
    });
  });

  test('durations are those of the log, with a clock that is wrong by an hour, and after a reload', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, thought('1', 'Hm.'));
    await write(log, 40, ['custom', { name: 'n', value: 1 }]);
    const { page } = await stage.visit(url);
    await page.evaluate(() => {
      const { now } = Date;
      Date.now = () => now() - 3_600_000;
    });
    await parts(page, 'Thinking');
    // 40 s by the log; two seconds later it is more, without an event.
    await page.waitForFunction(() => /Thinking… · 4\d s/.test(document.body.textContent ?? ''));
    await page.waitForFunction(() => /Thinking… · 4[2-9] s/.test(document.body.textContent ?? ''));
    await write(log, 72, thoughtEnds('1'), said('So'), END);
    await waitFor(page, 'Thinking finished · 1 min 12 s');
    const again = await open(stage, url, 'Thinking');
    await waitFor(again.page, 'Thinking finished · 1 min 12 s');
  });

  test('nothing from the log is HTML or a control: it is shown', async () => {
    const { log, url } = await stage.serve();
    await everything(log);
    await write(log, 20, said(' <b onclick=x>bold</b>'), END);
    const { page, problems } = await open(stage, url, 'All');
    await waitFor(page, 'Finished in 20 s');
    const name = page.locator('[data-slot=tool-card] [data-slot=tool-name]').first();
    expect(await name.textContent()).toBe('search<U+202E>gnp.exe<U+001B>[2J<img src=x onerror="window.hacked=1">');
    await waitFor(page, '<b onclick=x>bold</b>');
    expect(await page.locator('main img, main b').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test('a tool card tells what went wrong while closed, and shows arguments and result when opened by key', async () => {
    const { log, url } = await stage.serve();
    await everything(log);
    const { page } = await open(stage, url, 'Tools');
    const cards = page.locator('[data-slot=tool-card]');
    expect(await cards.nth(1).locator('button').textContent()).toContain('failed · 0 s · timed out after 10 s');
    expect(await page.getByText('hits').count()).toBe(0);
    const trigger = cards.first().locator('button');
    await trigger.press('Enter');
    await waitFor(page, '"hits": 14');
    const controls = await trigger.getAttribute('aria-controls');
    expect(await page.locator(`[id="${controls}"]`).getAttribute('data-slot')).toBe('tool-card-content');
    expect(await cards.first().getAttribute('data-state')).toBe('open');
    expect(await cards.first().getAttribute('data-status')).toBe('completed');
    expect(await cards.first().getAttribute('data-agent')).toBe('a1');
  });

  test('of a budget only what is known is measured; numbers and words are those of the provider', async () => {
    const { log, url } = await stage.serve();
    await everything(log);
    const { page } = await open(stage, url, 'Budget');
    await waitFor(page, 'Cost: not known, at most $1.00');
    const meters = () =>
      page
        .locator('[role=meter]')
        .evaluateAll((all) => all.map((it) => [it.ariaLabel, it.ariaValueNow, it.ariaValueMax, it.textContent]));
    expect(await meters()).toEqual([
      ['Budget: Tokens', '4500', '5000', 'Tokens: 4,500 of 5,000 · runs low'],
      ['Budget: Tool calls', '2', '2', 'Tool calls: 2 of 2'],
    ]);
    const status = () =>
      page
        .locator('[data-slot=budget-limit]')
        .evaluateAll((all) => all.map((it) => (it as HTMLElement).dataset.status));
    expect(await status()).toEqual(['ok', 'warning', 'ok']);
    await write(log, 13, ['usage.updated', { cost: { amount: 1.5, currency: 'USD', source: 'provider' } }]);
    await waitFor(page, 'Cost: $1.50 of $1.00 · used up');
    expect(await status()).toEqual(['exceeded', 'warning', 'ok']);
    await write(log, 14, ['budget.exceeded', { limit: 'cost', used: 1.5, max: 1, decision: 'pause' }]);
    await waitFor(page, 'Cost: $1.50 of $1.00 · used up, the run is paused');
    await parts(page, 'Budget', 'de');
    await waitFor(page, '4.500 von 5.000');
  });

  test('the page may dress, name and replace elements, hear them, and keep them from acting', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, thought('1', 'Hm.'));
    const { page } = await open(stage, url, 'Slots');
    await waitFor(page, '1 thoughts');
    const root = page.locator('#root');
    expect(await root.evaluate((it) => [it.className, it.style.color, it.dataset.slot])).toEqual([
      'mine',
      'red',
      'thinking',
    ]);
    expect(await page.locator('article').getAttribute('data-slot')).toBe('thinking-content');
    const chip = page.getByTitle('a chip');
    await chip.click();
    await page.locator('#slots').getByText('1 DIV').waitFor();
    await isExpanded(page, true);
    await chip.click();
    await isExpanded(page, false);
  });

  test('the connection is told apart from the run: lost, tried again by hand, live, ended', async () => {
    const server = await stage.serve();
    await write(server.log, 0, START, said('a'));
    const { page } = await open(stage, server.url, 'Status');
    await page.getByText(/^Live · 2 events · last .+ ago$/).waitFor();
    await page.context().setOffline(true);
    await waitFor(page, 'No network. The run continues');
    await page.route('**/stream*', (route) => route.abort());
    await page.context().setOffline(false);
    await page.getByText(/Connection lost \d+ s ago\. The run continues\. Retrying in \d+ s/).waitFor();
    // Waits are as long as they may be: what is asked for at once was the reader's wish.
    await page.evaluate(() => {
      Math.random = () => 0.999;
    });
    await page.getByText(/Retrying in [3-9] s/).waitFor();
    const asked = page.waitForRequest(/stream/, { timeout: 2_000 });
    await page.getByRole('button', { name: 'Retry now' }).click();
    await asked;
    await page.unroute('**/stream*');
    await waitFor(page, 'Live · 2 events');
    await write(server.log, 5, ['run.failed', { error: { code: 'x', message: 'no orders' } }]);
    await waitFor(page, 'Failed: no orders');
    expect(await page.locator('[data-slot=connection-status]').getAttribute('data-status')).toBe('failed');
  });

  test('a screen reader hears states, not tokens, and at most one message in five seconds', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START);
    const { page } = await stage.visit(url);
    await listen(page);
    await parts(page, 'All');
    await page.waitForFunction(() => (window.page as unknown as { said: unknown[] }).said.length === 1);
    await write(log, 1, thought('1', 'secret'));
    await write(log, 2, thoughtEnds('1'));
    for (let i = 0; i < 100; i++) await write(log, 3, said(`token${i} `));
    await waitFor(page, 'token99');
    await write(log, 4, ['run.failed', { error: { code: 'x', message: 'no orders' } }]);
    await page.getByRole('alert').getByText('Failed: no orders').waitFor();
    const messages = await heard(page);
    // Of what came meanwhile, the last is told; on a slow machine "Answering" was in time.
    const texts = messages.map((it) => it.text).filter((it) => it !== 'Answering');
    expect(texts).toEqual(['Live', 'Failed: no orders']);
    for (const [i, { at }] of messages.entries()) if (i > 0) expect(at - messages[i - 1]!.at).toBeGreaterThan(4_900);
  }, 40_000);

  test('axe finds nothing, in both themes, on a phone and a desk', async () => {
    const { log, url } = await stage.serve();
    await everything(log);
    const { page } = await stage.visit(url);
    await page.addScriptTag({ content: await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8') });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1_280]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 900 });
        await parts(page, 'All');
        await waitFor(page, 'The second refund');
        await page.locator('button[aria-expanded=false]').evaluateAll((all) => {
          for (const button of all) (button as HTMLElement).click();
        });
        const { violations } = await page.evaluate(() =>
          (window as unknown as { axe: typeof axe }).axe.run({
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'],
          }),
        );
        expect(violations.map((it) => [it.id, it.nodes.map((node) => node.html)])).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
      }
    }
  }, 60_000);

  test('to assistive technology it is this', async () => {
    const { log, url } = await stage.serve();
    await everything(log);
    const { page } = await open(stage, url, 'All');
    await waitFor(page, 'The second refund');
    await page.getByRole('status').getByText('Answering').waitFor();
    const snapshot = await page.locator('main').ariaSnapshot();
    expect(snapshot.replace(/last .+ ago/, 'last … ago')).toMatchInlineSnapshot(`
      "- main:
        - heading "A run" [level=1]
        - text: Live · 20 events · last … ago
        - status: Answering
        - alert
        - region "Plan":
          - text: Find the risks
          - progressbar "Plan": 2 of 4 steps
          - list:
            - listitem: Read done · 8 s
            - listitem: Search done · 4 s
            - listitem: Judge running
            - listitem: Answer pending
        - text: "Cost: not known, at most $1.00"
        - 'meter "Budget: Tokens"': "Tokens: 4,500 of 5,000 · runs low"
        - 'meter "Budget: Tool calls"': "Tool calls: 2 of 2"
        - button "Thinking finished · 8 s · 2 tools"
        - button "search<U+202E>gnp.exe<U+001B>[2J<img src=x onerror=\\"window.hacked=1\\"> done · 4 s"
        - button "list_changes failed · 0 s · timed out after 10 s"
        - region "Answer": The second refund came from a retry.
        - region "Timeline":
          - list:
            - listitem [level=1]: Read done · 8 s
            - listitem [level=1]:
              - button "Thinking finished · 8 s"
            - listitem [level=1]: Search done · 4 s
            - listitem [level=1]:
              - button "specialist done · 4 s · 2 tools · 1 error" [expanded]
            - listitem [level=2]:
              - button "search<U+202E>gnp.exe<U+001B>[2J<img src=x onerror=\\"window.hacked=1\\"> done · 4 s"
            - listitem [level=2]: looked into the archive completed
            - listitem [level=2]:
              - button "list_changes failed · 0 s · timed out after 10 s" [expanded]
              - text: "Arguments {}"
            - listitem [level=1]: Judge running
            - listitem [level=1]: assistant The second refund came from a retry."
    `);
  });
});
