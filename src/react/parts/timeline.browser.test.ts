/** The timeline in Chromium: fifty thousand rows, a reader who scrolls, and the keyboard. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Draft, END } from '../../hub/drafts.fixture.ts';
import { executablePath, many, Stage } from '../browser.fixture.ts';
import type { page as Driven } from './page.fixture.tsx';
import { open, thought, thoughtEnds, write } from './scene.fixture.ts';

const START = ['run.started', { agent: 'a' }] as const;
/** Of different heights: some wrap, some have details. */
const activity = (i: number): Draft => [
  'activity.reported',
  { action: `step ${i}`, status: 'completed', ...(i % 7 === 0 && { details: 'one\ntwo\nthree' }) },
];

const viewport = (page: Page) => page.locator('[data-slot=timeline-viewport]');
const waitFor = (page: Page, text: string) =>
  page.getByText(text, { exact: true }).first().waitFor({ timeout: 15_000 });
/** Where a row is, below the top of the viewport. */
const offset = (page: Page, text: string): Promise<number> =>
  page.evaluate((text) => {
    const row = [...document.querySelectorAll('[data-slot=timeline-row]')].find((it) => it.textContent?.includes(text));
    const top = document.querySelector('[data-slot=timeline-viewport]')!.getBoundingClientRect().top;
    return row!.getBoundingClientRect().top - top;
  }, text);
const painted = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
const isAtEnd = (page: Page) =>
  viewport(page).evaluate((it) => it.scrollHeight - it.scrollTop - it.clientHeight < 2 && it.scrollTop > 0);

describe.skipIf(!executablePath)('the timeline in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19, 'parts/page.fixture.tsx');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  test('of 50,000 rows a few dozen are mounted: at the end, in the middle, at the beginning', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START);
    for (let i = 0; i < 50; i++) await write(log, i, ...many(1_000, (k) => activity(i * 1_000 + k)));
    await write(log, 60, END);
    const { page, problems } = await open(stage, url, 'Lines');
    await waitFor(page, 'step 49999');
    const nodes = () => page.evaluate(() => document.querySelectorAll('body *').length);
    const frames = page.evaluate(async () => {
      const times: number[] = [];
      const element = document.querySelector('[data-slot=timeline-viewport]')!;
      let last = performance.now();
      for (let i = 0; i < 60; i++) {
        element.scrollTop = element.scrollHeight * Math.abs(Math.sin(i));
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - last);
        last = performance.now();
      }
      return times.sort((a, b) => a - b);
    });
    expect(await nodes()).toBeLessThanOrEqual(500);
    const times = await frames;
    // Half of all frames are on time; the machine of a test is busy.
    expect(times[30]).toBeLessThan(50);
    for (const place of [0.5, 0]) {
      await viewport(page).evaluate((it, place) => it.scrollTo(0, it.scrollHeight * place), place);
      await painted(page);
      expect(await nodes()).toBeLessThanOrEqual(500);
    }
    await waitFor(page, 'step 0');
    expect(await page.locator('[role=listitem]').first().getAttribute('aria-setsize')).toBe('50000');
    expect(problems).toEqual([]);
  }, 60_000);

  test('it follows the end until the reader goes up, then stays where the reader is, and follows again on demand', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ...many(200, activity));
    const { page } = await open(stage, url, 'Lines');
    await waitFor(page, 'step 199');
    for (let i = 200; i < 220; i++) await write(log, 1, activity(i));
    await waitFor(page, 'step 219');
    expect(await isAtEnd(page)).toBe(true);
    expect(await page.locator('[data-slot=timeline-to-end]').count()).toBe(0);

    await viewport(page).hover();
    await page.mouse.wheel(0, -200);
    await page.getByRole('button', { name: 'To the end' }).waitFor();
    await painted(page);
    const before = await offset(page, 'step 210');
    await write(log, 2, ...many(50, (i) => activity(220 + i)));
    await page.getByRole('button', { name: '50 new' }).waitFor();
    expect(Math.abs((await offset(page, 'step 210')) - before)).toBeLessThan(2);

    await viewport(page).press('End');
    await waitFor(page, 'step 269');
    await page.waitForFunction(() => !document.querySelector('[data-slot=timeline-to-end]'));
    await painted(page);
    expect(await isAtEnd(page)).toBe(true);
    // Down by hand, too.
    await page.mouse.wheel(0, -150);
    await page.getByRole('button', { name: 'To the end' }).waitFor();
    await page.mouse.wheel(0, 1_000);
    await page.waitForFunction(() => !document.querySelector('[data-slot=timeline-to-end]'));
  });

  test('what comes above, and turns out higher than thought, moves nothing that is read', async () => {
    const { log, url } = await stage.serve();
    const first = { id: 'a1', name: 'first', path: 'a1' };
    await write(log, 0, START, ['agent.started', {}, first], ...many(300, activity));
    const { page } = await open(stage, url, 'Lines');
    await waitFor(page, 'step 299');
    await viewport(page).hover();
    for (let i = 0; i < 6; i++) await page.mouse.wheel(0, -400);
    await page.getByRole('button', { name: 'To the end' }).waitFor();
    await painted(page);
    const seen = await page.evaluate(() => {
      const { top, bottom } = document.querySelector('[data-slot=timeline-viewport]')!.getBoundingClientRect();
      return [...document.querySelectorAll('[data-slot=timeline-row] bdi')]
        .filter((it) => it.getBoundingClientRect().top > top && it.getBoundingClientRect().bottom < bottom)
        .map((it) => it.textContent ?? '');
    });
    const before = await offset(page, seen[0]!);
    // They stand below the first agent, far above.
    await write(
      log,
      1,
      ...many(20, (i): Draft => ['activity.reported', { action: `late ${i}`, status: 'completed' }, first]),
    );
    await page.getByRole('button', { name: '20 new' }).waitFor();
    expect(Math.abs((await offset(page, seen[0]!)) - before)).toBeLessThan(2);
  });

  test('by key: rows, folding, the agent above; the row with the focus stays when the list moves on', async () => {
    const { log, url } = await stage.serve();
    const agent = { id: 'a1', name: 'first', path: 'a1' };
    const own = (draft: Draft): Draft => [draft[0], draft[1] ?? {}, agent];
    await write(log, 0, START, ['agent.started', {}, agent], own(thought('t', 'deep thought')), own(thoughtEnds('t')));
    await write(log, 1, ...many(300, activity));
    const { page, problems } = await open(stage, url, 'Lines');
    await waitFor(page, 'step 299');
    const focused = () =>
      page.evaluate(() => document.activeElement?.closest('[data-slot=timeline-row]')?.getAttribute('aria-posinset'));
    const at = (position: string) =>
      page.waitForFunction(
        (it) => document.activeElement?.closest('[data-slot=timeline-row]')?.getAttribute('aria-posinset') === it,
        position,
      );
    await viewport(page).focus();
    await page.keyboard.press('Home');
    await at('1');
    await page.keyboard.press('ArrowDown');
    await at('2');
    await page.keyboard.press('ArrowRight');
    await waitFor(page, 'deep thought');
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => !document.body.textContent?.includes('deep thought'));
    await page.keyboard.press('ArrowLeft');
    await at('1');
    await page.keyboard.press('ArrowLeft');
    await page.locator('[data-kind=agent][data-state=closed]').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.locator('[data-kind=agent][data-state=open]').waitFor();
    await page.keyboard.press('j');
    await at('2');
    await viewport(page).evaluate((it) => it.scrollTo(0, it.scrollHeight));
    await waitFor(page, 'step 299');
    expect(await focused()).toBe('2');
    await page.keyboard.press('ArrowDown');
    await at('3');
    await page.locator('[data-slot=timeline-row]').getByText('step 0', { exact: true }).waitFor();
    expect(problems).toEqual([]);
  });

  test('alike calls are one row that opens; trouble, and what is asked for, is in sight; a link leads into what is closed', async () => {
    const { log, url } = await stage.serve();
    const agent = { id: 'a1', name: 'first', path: 'a1' };
    const calls = Array.from({ length: 20 }, (_, i) => `c${i}`).flatMap((toolCallId, i): Draft[] => [
      ['tool.called', { toolCallId, name: 'search', args: {} }, agent],
      i === 14
        ? ['tool.failed', { toolCallId, error: { code: 'x', message: 'no' } }, agent]
        : ['tool.completed', { toolCallId, durationMs: 500 }, agent],
    ]);
    await write(log, 0, START, ['agent.started', {}, agent], ...calls);
    await write(log, 1, ['usage.updated', { usage: { inputTokens: 1 } }], ...many(300, activity));
    const { page, problems } = await open(stage, url, 'Story');
    await waitFor(page, 'step 299');
    const look = (options: object) =>
      page.evaluate((it) => (window.page as unknown as typeof Driven).look(it), options);
    const rows = () => page.locator('[data-slot=timeline-row]').allInnerTexts();
    const target = page.locator('[data-slot=timeline-row][data-target]');
    const isInSight = () =>
      target.evaluate((it) => {
        const [row, all] = [it, it.closest('[data-slot=timeline-viewport]')!].map((some) =>
          some.getBoundingClientRect(),
        );
        return row!.top >= all!.top && row!.bottom <= all!.bottom;
      });

    await look({ show: 'errors' });
    await page.waitForFunction(() => document.querySelectorAll('[data-slot=timeline-row]').length === 2);
    expect(await rows()).toEqual([expect.stringContaining('first'), expect.stringContaining('search failed')]);
    await look({ show: 'tools' });
    await page.getByRole('button', { name: 'search ×14 7 s' }).waitFor();
    await page.getByRole('button', { name: 'search ×5 3 s' }).waitFor();

    // The fourth call, by the number with which it ended.
    await look({ reveal: 10 });
    await target.waitFor();
    await painted(page);
    expect(await target.getAttribute('data-seq')).toBe('9');
    expect(await target.getAttribute('aria-level')).toBe('3');
    expect(await isInSight()).toBe(true);
    expect(await page.getByRole('button', { name: 'To the end' }).count()).toBe(1);
    // An event without a row of its own: the last call began before it.
    await look({ reveal: 43 });
    await page.locator('[data-target][data-seq="41"]').waitFor();
    // Far below, and a row that does not exist yet.
    await look({ reveal: 343 });
    await page.locator('[data-target][data-seq="343"]').waitFor();
    await painted(page);
    expect(await isInSight()).toBe(true);
    await look({ reveal: 400 });
    await target.waitFor({ state: 'detached' });
    await write(log, 2, ...many(100, (i) => activity(300 + i)));
    await page.locator('[data-target][data-seq="400"]').waitFor();
    expect(problems).toEqual([]);
  });
});
