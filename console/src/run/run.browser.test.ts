import type { Page } from 'playwright-core';
import type { AgentFunction } from 'telltale';
import { createClient } from 'telltale/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

const ANSWER = `## It was a retry

Order **8f2c**, see [the runbook](https://a.example/x), [this](javascript:alert(1)), ![a picture](https://b.example/beacon.png)
and <img src="https://c.example/x" onerror="hacked=1"> &amp; &#x202E;more.

| refund | amount |
|:--|--:|
| rf_1 | 120 |
`;

const READ = 'Read what everybody wrote about the order';

/** Plans, thinks, asks an agent, fails at something, and answers. */
const auditor: AgentFunction = async (run) => {
  await run.plan('Find out why', [READ, 'Search', 'Report']);
  await run.step(READ, () => run.think('First I read the ticket.'));
  await run.step('Search', async () => {
    await run.agent('policy-bot', async (inner) => {
      await inner.tool('search', { q: '8f2c', limit: 20 }, () => ({ hits: 14, of: ['a', 'b'] }));
      const failing = inner.tool('list_changes', { since: 'monday' }, () => Promise.reject(new Error('timed out')));
      await failing.catch(() => {});
    });
  });
  await run.step('Report', () => run.say(ANSWER));
};

describe.skipIf(!executablePath)('the screen of a run', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  const sideways = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);

  test('tells what was done, how it ended, and leads to errors, details and events by keys', async () => {
    const { app, url } = await stage.serve((it) => it.agent('auditor', auditor));
    const input = 'Why was 8f2c refunded twice?';
    const { finished } = await app.start({ agent: 'auditor', runId: 'audit', input });
    const { errors, tools } = await finished();
    const { page, problems } = await stage.visit(`${url}/runs/audit`);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.getByRole('heading', { level: 1, name: input }).waitFor();
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in .* events$/)
      .waitFor();
    await page.waitForFunction(() => document.title === '✓ Why was 8f2c refunded twice? · Telltale');
    expect(await page.locator('link[rel=icon]').getAttribute('href')).toContain('icon-done');

    // The answer is Markdown that neither runs, nor loads, nor leads anywhere else.
    await page.locator('.answer').getByRole('heading', { name: 'It was a retry' }).waitFor();
    expect(await page.locator('.answer td').allTextContents()).toEqual(['rf_1', '120']);
    const links = await page
      .locator('.answer a')
      .evaluateAll((all) => all.map((it) => [it.textContent, it.getAttribute('href')]));
    expect(links).toEqual([
      ['the runbook', 'https://a.example/x'],
      ['image: a picture', 'https://b.example/beacon.png'],
    ]);
    expect(await page.locator('.answer img').count()).toBe(0);
    await page.locator('.answer').getByText('& <U+202E>more.').waitFor();

    // One key leads to the error, which says all of itself; its numbers lead to the events.
    await page.keyboard.press('e');
    const details = page.getByRole('complementary', { name: 'Details' });
    await details.getByText('timed out').first().waitFor();
    expect(new URL(page.url()).search).toBe(`?event=${errors[0]?.seq}`);
    await details.getByText(`Event ${errors[0]?.seq}`).click();
    await details.getByText('tool.failed').first().waitFor();
    await details.getByRole('button', { name: String(tools[1]?.startSeq), exact: true }).click();
    await page.waitForURL(`**/runs/audit?event=${tools[1]?.startSeq}`);
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'detached' });

    // Rows by keys: down, into the details.
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await details.waitFor();

    // A link to an event opens its details, whatever they are about.
    const called = (tools[0]?.startSeq ?? 0) + 1;
    await page.goto(`${url}/runs/audit?event=${called}`);
    await details.getByRole('heading', { name: /search/ }).waitFor();
    await details.getByText('hits', { exact: true }).waitFor();

    // What is shown, and what is looked for in it, stands in the address.
    await page.keyboard.press('Escape');
    const rows = page.locator('[data-slot=timeline-row]');
    await page.getByRole('button', { name: /^Errors/ }).click();
    await page.waitForURL('**/runs/audit?show=errors');
    await expect.poll(() => rows.evaluateAll((all) => all.map((it) => it.dataset.kind))).toEqual(['agent', 'tool']);
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await page.getByRole('button', { name: /Read/ }).first().click();
    await expect.poll(() => rows.evaluateAll((all) => all.map((it) => it.dataset.kind))).toEqual(['step', 'thinking']);
    await page.getByRole('button', { name: /^Only: Read/ }).click();
    await page.keyboard.press('/');
    await page.keyboard.type('TIMED');
    await page.getByText('1 found').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('1 of 1').waitFor();
    await page.locator('[data-slot=timeline-row][data-target]').getByText('list_changes').first().waitFor();
    expect(new URL(page.url()).search).toBe('?find=TIMED');
    await page.keyboard.press('Escape');

    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL((it) => it.pathname !== '/runs/audit');
    await page.getByRole('heading', { level: 1, name: input }).waitFor();
    expect(asked.filter((it) => !it.startsWith(url))).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('says why there is nothing to show, and nothing is wider than a narrow screen', async () => {
    const { app, url } = await stage.serve((it) => it.agent('auditor', auditor));
    await (await app.start({ agent: 'auditor', runId: 'audit', input: 'w'.repeat(300) })).finished();
    const { page } = await stage.visit(`${url}/runs/nothing`, { width: 320, height: 700, dark: true });
    await page.getByRole('heading', { name: 'There is no such run here' }).waitFor();
    // What tells the story is still on its way: that there are no rows yet is not said to be all.
    const { promise: isHere, resolve: arrive } = Promise.withResolvers<void>();
    await page.route(/\/assets\/story-/, async (route) => {
      await isHere;
      await route.continue();
    });
    await page.goto(`${url}/runs/audit`);
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in/)
      .waitFor();
    await page.getByRole('button', { name: 'Timeline', exact: true }).click();
    await page.getByText('Asking the server for this run…').waitFor();
    expect(await page.locator('[data-slot=timeline-viewport] > [role=list]').getAttribute('aria-busy')).toBe('true');
    arrive();
    await page.locator('[data-slot=timeline-row]').first().waitFor();
    expect(await page.locator('.story-nothing').count()).toBe(0);
    for (const pane of ['Plan', 'Timeline']) {
      await page.getByRole('button', { name: pane, exact: true }).click();
      expect(await sideways(page)).toBe(0);
    }
    expect(await page.getByRole('button', { name: 'Details', exact: true }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Details of list_changes' }).click();
    await page.getByRole('complementary', { name: 'Details' }).getByText('timed out').first().waitFor();
    expect(await sideways(page)).toBe(0);
    expect(await page.locator('.run-main').isVisible()).toBe(false);

    // What is chosen in the plan is shown, and no name of a step lies over how long it took.
    await page.getByRole('button', { name: 'Plan', exact: true }).click();
    const step = page.locator('.steps li').first();
    expect(await step.locator('bdi').evaluate((it) => it.scrollWidth - it.clientWidth)).toBeLessThanOrEqual(0);
    await step.getByRole('button').click();
    await page.getByRole('button', { name: /^Only:/ }).click();

    // An event that is about nothing else is shown itself; one that is not there is said not to be.
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${url}/runs/audit?event=1`);
    await page.locator('.detail').getByText('run.started').first().waitFor();
    await page.goto(`${url}/runs/audit?event=9999`);
    await page.getByText('The log of this run has no event of this number yet.').waitFor();
  });

  test('a run that was quiet for an hour when it was opened says so, whenever its history arrived here', async () => {
    const { app, url } = await stage.serve((it) => it.agent('asker', (run) => run.approve({ prompt: 'Go on?' })));
    await app.start({ agent: 'asker', runId: 'quiet' });
    const { page } = await stage.visit('about:blank');
    await page.clock.install({ time: Date.now() + 3_600_000 });
    await page.goto(`${url}/runs/quiet`);
    await page.getByText(/^Live · \d events · last 1 h( \d+ min)? ago$/).waitFor();
  });

  test('shows a run while it goes on: the answer as it comes, and what waits for whom', async () => {
    const { app, url } = await stage.serve((it) => {
      it.agent('asker', async (run) => {
        await run.say('I have to ask.');
        await run.approve({ prompt: 'Refund 240?' });
        await run.say('Thank you.');
      });
    });
    const { finished } = await app.start({ agent: 'asker', runId: 'asks', input: { question: 'May I?' } });
    const { page, problems } = await stage.visit(`${url}/runs/asks`);
    await page.getByText('I have to ask.').first().waitFor();
    await page.waitForFunction(() => document.title === '‖ waits for you · May I? · Telltale');
    await page
      .locator('.run-sentence')
      .getByText(/^Live · \d+ events · last \d+ s ago/)
      .waitFor();
    // Joined an hour later, it is as quiet as it is.
    await page.clock.setSystemTime(Date.now() + 3_600_000);
    await page.reload();
    await page.locator('.run-sentence').getByText('last 1 h ago').waitFor();
    await page.getByRole('button', { name: 'A question waits for you' }).click();
    await page.getByRole('complementary', { name: 'Details' }).getByRole('button', { name: 'Approve' }).waitFor();
    const client = createClient({ url });
    const { approvals } = await client.snapshot('asks');
    await client.run('asks').approve(approvals[0]?.id ?? '');
    await finished();
    await page.locator('.answer').getByText('Thank you.').waitFor();
    await page
      .locator('.run-sentence')
      .getByText(/^Finished in/)
      .waitFor();
    expect(problems).toEqual([]);
  });
});
