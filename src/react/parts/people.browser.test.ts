/** Questions and commands in Chromium: nothing happens by accident, all tabs agree, and the focus is never lost. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { END, START } from '../../hub/drafts.fixture.ts';
import { executablePath, Stage } from '../browser.fixture.ts';
import { heard, listen, open, parts, people, said, write } from './scene.fixture.ts';

const ASKED = ['approval.requested', { approvalId: 'a1', prompt: 'Delete it?' }] as const;
const waitFor = (page: Page, text: string) => page.getByText(text).first().waitFor({ timeout: 10_000 });
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const slot = (page: Page, name: string) => page.locator(`[data-slot=${name}]`);
/** What has the focus, by its slot. */
const focused = (page: Page, name: string) =>
  page.waitForFunction((name) => (document.activeElement as HTMLElement).dataset.slot === name, name);
/** What the page sent. */
function sent(page: Page): string[] {
  const bodies: string[] = [];
  page.on('request', (it) => it.method() === 'POST' && bodies.push(`${it.url().split('/').at(-1)} ${it.postData()}`));
  return bodies;
}
/** A press is taken half a second after its button appeared. */
const settled = (page: Page) => page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 600)));

describe.skipIf(!executablePath)('people, in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19, 'parts/page.fixture.tsx');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  test('only a press on a button answers: not Enter in the comment, not Escape, not a click that was meant for something else', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START);
    const { page } = await stage.visit(url);
    const bodies = sent(page);
    await page.route('**/approvals/**', (route) => route.abort());
    await page.evaluate(() => {
      // No patience between attempts.
      Math.random = () => 0;
    });
    await parts(page, 'People');
    await waitFor(page, 'Live');
    // Pressed in the very moment in which the button appears.
    await page.evaluate(() => {
      new MutationObserver((_, it) => {
        const option = document.querySelector<HTMLElement>('[data-option=approve]');
        option?.click();
        if (option) it.disconnect();
      }).observe(document.body, { childList: true, subtree: true });
    });
    await write(log, 1, ASKED);
    const comment = page.getByRole('textbox', { name: 'Comment' }).first();
    await comment.fill('Not today');
    for (const key of ['Enter', 'Control+Enter', 'Escape']) await comment.press(key);
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe('TEXTAREA');
    await settled(page);
    expect(bodies).toEqual([]);
    await button(page, 'Deny').first().press('Enter');
    await waitFor(page, 'This answer does not count');
    expect(new Set(bodies)).toEqual(new Set(['a1 {"decision":"deny","by":"ada","comment":"Not today"}']));
    // What failed here is said aloud, and what was typed is not lost.
    await page.getByRole('alert').getByText('This answer does not count').waitFor();
    expect(await comment.inputValue()).toBe('Not today\n');
    await focused(page, 'approval-option');
  }, 30_000);

  test('a question that was answered anywhere stays, says by whom, and keeps the focus', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ASKED);
    const { page, problems } = await open(stage, url, 'Questions');
    await button(page, 'Approve').focus();
    await write(log, 5, [
      'approval.resolved',
      { approvalId: 'a1', decision: 'deny', by: 'da\u202ena', comment: 'Too risky' },
    ]);
    await waitFor(page, 'Answered by da<U+202E>na: Deny');
    await waitFor(page, 'Too risky');
    await focused(page, 'approval');
    expect(await page.getByRole('group', { name: 'Delete it?' }).getAttribute('data-status')).toBe('resolved');
    expect(await slot(page, 'approval').locator('time').getAttribute('datetime')).toBe('2026-11-20T18:00:05.000Z');
    expect(await page.locator('button, textarea').count()).toBe(0);
    await write(log, 6, END);
    const again = await open(stage, url, 'Questions');
    await waitFor(again.page, 'Answered by da<U+202E>na: Deny');
    // Nobody's focus is taken.
    expect(await again.page.evaluate(() => document.activeElement === document.body)).toBe(true);
    expect(problems).toEqual([]);
  });

  test('two tabs press at once: one answer counts, and both say which', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ASKED);
    const tabs = await Promise.all([open(stage, url, 'Questions'), open(stage, url, 'Questions')]);
    for (const { page } of tabs) await button(page, 'Approve').waitFor();
    await Promise.all(tabs.map(({ page }) => settled(page)));
    // Neither answer arrives before both are sent.
    const both = Promise.withResolvers<void>();
    let waiting = 0;
    for (const { page } of tabs) {
      await page.route('**/approvals/**', async (route) => {
        if (++waiting === tabs.length) both.resolve();
        await both.promise;
        await route.continue();
      });
    }
    await Promise.all(tabs.map(({ page }, i) => button(page, ['Approve', 'Deny'][i] ?? '').click()));
    for (const { page } of tabs) await waitFor(page, 'Answered by ada');
    const [one, two] = await Promise.all(tabs.map(({ page }) => slot(page, 'approval-outcome').textContent()));
    const winner = /Answered by ada: (Approve|Deny)/.exec(one ?? '')?.[1];
    expect(two).toContain(`Answered by ada: ${winner}`);
    expect([one, two].filter((it) => it?.includes('This answer does not count'))).toHaveLength(1);
  });

  test('a cancel is asked twice about, is pending until the log says what came of it, and leaves the focus in its place', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, said('Well'));
    const { page, problems } = await open(stage, url, 'People');
    const bodies = sent(page);
    const cancel = button(page, 'Cancel');
    await cancel.press('Enter');
    await focused(page, 'commands-keep');
    await page.keyboard.press('Escape');
    await focused(page, 'commands-cancel');
    expect(await slot(page, 'commands-confirm').count()).toBe(0);
    await cancel.press('Space');
    await button(page, 'Keep it running').press('Enter');
    await focused(page, 'commands-cancel');
    expect(bodies).toEqual([]);
    await cancel.press('Enter');
    const reason = page.getByRole('textbox', { name: 'Reason' });
    await reason.fill(' It runs in circles. ');
    await reason.press('Enter');
    expect(bodies).toEqual([]);
    await button(page, 'Cancel the run').press('Enter');
    await waitFor(page, 'Cancel asked for by ada…');
    expect(bodies).toEqual(['cancel {"by":"ada","reason":"It runs in circles."}']);
    expect(await cancel.getAttribute('aria-disabled')).toBe('true');
    await cancel.press('Enter');
    expect(await slot(page, 'commands-confirm').count()).toBe(0);
    await focused(page, 'commands-cancel');
    const { commands } = (await (await fetch(`${url}/v1/runs/r`)).json()) as { commands: { id: string }[] };
    await write(log, 5, ['run.cancelled', { commandId: commands[0]?.id, by: 'ada' }]);
    await slot(page, 'commands-status').getByText('Cancelled by ada.').waitFor();
    await focused(page, 'commands');
    expect(await slot(page, 'commands').locator('button').count()).toBe(0);
    expect(bodies).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  test('what came of a pause is the same line in every tab: asked for, overdue, followed, taken back, refused', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START);
    const tabs = [await open(stage, url, 'Commands'), await open(stage, url, 'Commands')].map(({ page }) => page);
    const told = async (text: string, ...enabled: string[]) => {
      for (const page of tabs) {
        await slot(page, 'commands-status').getByText(text).waitFor();
        const able = await page.locator('button:not([aria-disabled])').allTextContents();
        expect(able).toEqual(enabled);
      }
    };
    const ask = (command: string, commandId: string) =>
      ['control.requested', { command, commandId, by: 'kim' }] as const;
    await write(log, 1, ask('pause', 'c1'));
    await told('Pause asked for by kim…', 'Resume', 'Cancel');
    await write(log, 11, ['control.overdue', { commandId: 'c1' }]);
    await told('Pause asked for by kim. Nothing has followed it yet.', 'Pause', 'Resume', 'Cancel');
    await write(log, 12, ['run.paused', { commandId: 'c1', by: 'kim' }]);
    await told('Paused by kim.', 'Resume', 'Cancel');
    await write(log, 13, ask('resume', 'c2'), ['run.resumed', { commandId: 'c2', by: 'kim' }]);
    await told('Resumed by kim.', 'Pause', 'Cancel');
    const error = { code: 'command_refused', message: 'It is nearly done.' };
    await write(log, 14, ask('pause', 'c3'), ['control.refused', { commandId: 'c3', error }]);
    await told('Not paused: It is nearly done.', 'Pause', 'Cancel');
  });

  test('a pressed button pauses, and resumes', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START);
    const { page } = await open(stage, url, 'People');
    await button(page, 'Pause').click();
    await waitFor(page, 'Pause asked for by ada…');
    await write(log, 1, ['run.paused', {}]);
    await waitFor(page, 'Paused by ada. Waiting for a decision.');
    await button(page, 'Resume').click();
    await slot(page, 'commands-status').getByText('Resume asked for by ada…').waitFor();
    await write(log, 2, ['run.resumed', {}]);
    await waitFor(page, 'Resumed by ada.');
  });

  test('a run that waits for its turn says how many are before it', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ['run.queued', { agent: 'a', position: 2 }]);
    const { page } = await open(stage, url, 'Status');
    await waitFor(page, 'Waiting for its turn · 2 runs before it');
    await write(log, 1, ['run.queued', { agent: 'a', position: 1 }]);
    await waitFor(page, 'Waiting for its turn · 1 run before it');
  });

  test('a screen reader hears what was answered', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ASKED);
    const { page } = await stage.visit(url);
    await listen(page);
    await parts(page, 'Announcer');
    await page.getByRole('alert').getByText('Approval needed: Delete it?').waitFor();
    const answer = { approvalId: 'a1', decision: 'approve', by: 'dana' };
    await write(log, 1, ['approval.resolved', answer], ['custom', { name: 'n', value: 1 }]);
    await page.getByRole('status').getByText('Answered by dana: Approve').waitFor();
    expect((await heard(page)).map(({ text }) => text)).toEqual([
      'Approval needed: Delete it?',
      'Answered by dana: Approve',
    ]);
  });

  test('axe finds nothing, in both themes, on a phone and a desk', async () => {
    const { log, url } = await stage.serve();
    await people(log);
    const { page } = await stage.visit(url);
    await page.addScriptTag({ content: await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8') });
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1_280]) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height: 900 });
        await parts(page, 'People');
        await waitFor(page, 'neither');
        await button(page, 'Cancel').click();
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
});
