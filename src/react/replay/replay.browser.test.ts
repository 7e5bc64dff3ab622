/** A replay in Chromium: the same components, at any event of the run, and live again. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Draft, START } from '../../hub/drafts.fixture.ts';
import { until } from '../../hub/recording.fixture.ts';
import { executablePath, many, Stage } from '../browser.fixture.ts';
import { said, thought, thoughtEnds, write } from '../parts/scene.fixture.ts';
import type { page as Driven } from './page.fixture.tsx';

const FAR = '2099-11-20T18:00:00.000Z';
const activity = (i: number): Draft => ['activity.reported', { action: `step ${i}`, status: 'completed' }];
const drive = <T>(page: Page, act: (it: typeof Driven) => T): Promise<T> =>
  page.evaluate(`(${act})(window.page)`) as Promise<T>;
const shows = (page: Page, id: string, text: string) =>
  page.waitForFunction(([id, text]) => document.getElementById(id)?.textContent === text, [id, text] as const);
const slot = (page: Page, name: string) => page.locator(`[data-slot=${name}]`);

describe.skipIf(!executablePath)('a replay in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19, 'replay/page.fixture.tsx');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  test('every hook and part shows the moment, nothing can be asked of it; then it is live again', async () => {
    const { log, url, hub } = await stage.serve();
    await write(log, 0, START, ['step.started', { stepId: 's', name: 'Read' }], thought('t', 'Hm'));
    await write(log, 6, thought('t', ', well'), thoughtEnds('t'));
    await write(log, 7, ['approval.requested', { approvalId: 'q', prompt: 'May I?', expiresAt: FAR }]);
    await write(log, 9, ['approval.resolved', { approvalId: 'q', decision: 'approve' }], said('Yes'));
    await write(log, 10, ...many(300, activity));
    const { page, streams, problems } = await stage.visit(url);
    await drive(page, (it) => it.mount('r'));
    await shows(page, 'place', '308 1 308 308 308 live');
    await shows(page, 'facts', 'running live 308   true 1');

    await drive(page, (it) => it.replay.seek(4));
    await shows(page, 'place', '4 1 308 308 308');
    await shows(page, 'facts', 'running replaying 4 1 4 false 1');
    await shows(page, 'changes', 'Thinking · +6 characters');
    expect(await slot(page, 'connection-status-text').textContent()).toBe('Replay · 4 events');
    expect(await slot(page, 'thinking-trigger').textContent()).toContain('Thinking… · 6 s');
    expect(await slot(page, 'thinking-text').first().textContent()).toBe('Hm, well');
    expect(await slot(page, 'answer').count()).toBe(0);

    await drive(page, (it) => it.replay.next('approval'));
    await shows(page, 'changes', 'Question May I? · waiting for an answer');
    await slot(page, 'approval-prompt').first().waitFor();
    for (const it of ['approval-option', 'approval-comment', 'approval-deadline']) {
      expect(await slot(page, it).count()).toBe(0);
    }
    const can = await page
      .locator('[data-slot^=commands-]:is(button)')
      .evaluateAll((all) => all.map((it) => it.ariaDisabled));
    expect(can).toEqual(['true', 'true', 'true']);

    // What comes meanwhile is told, and changes nothing that is shown.
    const renders = await page.locator('#renders').textContent();
    await write(log, 11, activity(301));
    await shows(page, 'place', '6 1 309 309 309');
    expect(Number(await page.locator('#renders').textContent())).toBeLessThanOrEqual(Number(renders) + 3);
    await shows(page, 'facts', 'running replaying 6 1 6 false 1');

    // Older events of a moment, and back to an earlier one.
    await drive(page, (it) => it.replay.seek(300));
    await shows(page, 'facts', 'running replaying 300 51 300 true 1');
    await page.click('#facts');
    await shows(page, 'facts', 'running replaying 300 1 300 false 1');
    await drive(page, (it) => it.replay.seek(8));
    await shows(page, 'facts', 'running replaying 8 1 8 false 1');
    expect(await slot(page, 'answer-text').textContent()).toBe('Yes');

    await drive(page, (it) => it.replay.goLive());
    await shows(page, 'place', '309 1 309 309 309 live');
    expect(await slot(page, 'connection-status-text').textContent()).toContain('Live · 309 events');
    expect(streams).toHaveLength(1);
    await drive(page, (it) => it.unmount());
    await until(() => hub.viewers === 0, 'the page to leave');
    expect(problems).toEqual([]);
  }, 60_000);

  test('a link to a moment, playing to the end of the run, dragging: at most a render a frame, and no timer afterwards', async () => {
    const { log, url } = await stage.serve();
    await write(log, 0, START, ...many(1_500, activity));
    await write(log, 60, ...many(500, activity), ['run.completed', {}]);
    const { page, problems } = await stage.visit(url);
    await drive(page, (it) => it.mount('r', 1_700));
    await shows(page, 'place', '1700 1 2002 2002 2002 whole');
    await shows(page, 'facts', 'running replaying 1700 1451 1700 true 0');
    const [before, frames] = await drive(page, async (it) => {
      const count = () => Number(document.getElementById('renders')?.textContent);
      const before = count();
      for (let frame = 0; frame < 20; frame++) {
        for (let i = 0; i < 10; i++) it.replay.seek(100 + frame * 10 + i);
        await new Promise(requestAnimationFrame);
      }
      await new Promise(requestAnimationFrame);
      return [before, count() - before];
    });
    expect(before).toBeGreaterThan(0);
    expect(frames).toBeLessThanOrEqual(22);
    await shows(page, 'facts', 'running replaying 299 50 299 true 0');
    await drive(page, (it) => it.mount('r', 1_499));
    await shows(page, 'facts', 'running replaying 1499 1250 1499 true 0');
    await drive(page, (it) => it.replay.play());
    // A minute in which nothing happened is passed over.
    await shows(page, 'place', '2002 1 2002 2002 2002 whole');
    await shows(page, 'facts', 'completed replaying 2002 1753 2002 true 0');
    await page.waitForFunction(() => window.pending.timers.size === 0);
    expect(problems).toEqual([]);
  }, 60_000);

  test('what cannot be replayed is told', async () => {
    const { url } = await stage.serve();
    const { page } = await stage.visit(url);
    await drive(page, (it) => it.mount('nobody', 3));
    await shows(page, 'place', '3 0 0 0 0 run_not_found');
    await drive(page, (it) => it.mount('no id!', 3));
    await shows(page, 'place', '3 0 0 0 0 invalid_request');
  });
});
