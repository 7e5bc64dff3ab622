/** What axe finds on every screen, as it stands at several moments, in both themes, on a desk and on a phone. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';
import { type AgentFunction, makeKey } from 'telltale';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const LOOKS = [
  ['light', 1_280],
  ['dark', 1_280],
  ['light', 390],
  ['dark', 390],
] as const;

/** Does a bit of everything; waits for an answer, and fails where it is told to. */
const worker: AgentFunction = async (run, input) => {
  await run.plan('Find out why', ['Read', 'Search', 'Report']);
  await run.step('Read', () => run.think('First I read the ticket.'));
  await run.step('Search', () =>
    run.agent('policy-bot', async (inner) => {
      await inner.tool('search', { q: '8f2c', limit: 20 }, () => ({ hits: 14, of: ['a', 'b'] }));
      await inner.tool('list_changes', {}, () => Promise.reject(new Error('timed out'))).catch(() => {});
    }),
  );
  await run.say(
    '## It was a retry\n\nOrder `8f2c`, see [the runbook](https://a.example/x).\n\n| a | b |\n|--|--|\n| 1 | 2 |\n',
  );
  if (input === 'wait') await run.approve({ prompt: 'Refund 240?' });
  if (input === 'fail') throw new Error('the order is gone');
};

describe.skipIf(!executablePath)('axe finds nothing', () => {
  let stage: Stage;
  let source: string;
  beforeAll(async () => {
    stage = await Stage.open();
    source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  /** On what the page shows now, in every look. */
  async function check(page: Page, where: string): Promise<void> {
    await page.evaluate(source);
    for (const [colorScheme, width] of LOOKS) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 800 });
      const found = await page.evaluate(async (tags) => {
        const { violations } = await (window as unknown as { axe: typeof axe }).axe.run({ runOnly: tags });
        return violations.map(({ id, nodes }) => [id, ...nodes.map((it) => it.html.slice(0, 160))]);
      }, TAGS);
      expect.soft({ where, colorScheme, width, found }).toEqual({ where, colorScheme, width, found: [] });
    }
    await page.setViewportSize({ width: 1_280, height: 800 });
  }

  async function open() {
    const { app, url } = await stage.serve((app) => app.agent('worker', worker, { description: 'Does a bit.' }));
    const { page } = await stage.visit('about:blank');
    page.setDefaultTimeout(15_000);
    return { app, url, page };
  }

  test('on the runs: none yet, some, none that fits, the help, the palette, a form, no page, and no server', async () => {
    const { app, url, page } = await open();
    await page.goto(url);
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
    await check(page, 'no runs');
    for (const input of ['Why?', 'fail'])
      await (await app.start({ agent: 'worker', input, threadId: 'talk' })).finished();
    await app.start({ agent: 'worker', input: 'wait', threadId: 'talk' });
    await page.goto(`${url}/`);
    await page.getByRole('row').nth(3).waitFor();
    await check(page, 'runs');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'What keys do' }).waitFor();
    await check(page, 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('option').first().waitFor();
    await check(page, 'palette');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New run' }).click();
    await page.getByRole('dialog', { name: 'Start a run' }).waitFor();
    await check(page, 'start');
    await page.goto(`${url}/?status=cancelled`);
    await page.getByText('No run matches these filters.').waitFor();
    await check(page, 'no run that fits');
    await page.goto(`${url}/runs/nothing`);
    await page.getByRole('heading', { name: 'There is no such run here' }).waitFor();
    await check(page, 'no such run');
    await page.goto(`${url}/chat/talk`);
    await page.locator('.turn').nth(2).waitFor();
    await app.close();
    await page.locator('.chat-connection', { hasText: 'Connection lost' }).waitFor();
    await check(page, 'no server');
  }, 60_000);

  test('on a run: ended, failed, waiting for an answer, its details, its events and its JSON; on a conversation', async () => {
    const { app, url, page } = await open();
    for (const input of ['end', 'fail']) {
      await (await app.start({ agent: 'worker', runId: input, input, threadId: 'talk' })).finished();
      await page.goto(`${url}/runs/${input}`);
      await page
        .getByText(input === 'end' ? /Finished in/ : /Failed: the order/)
        .first()
        .waitFor();
      await page.getByText('It was a retry').first().waitFor();
      await check(page, input);
    }
    await page.keyboard.press('e');
    await page.getByRole('complementary', { name: 'Details' }).waitFor();
    await check(page, 'details');
    await page.goto(`${url}/runs/fail?view=frames`);
    await page.locator('.frame-data').first().waitFor();
    await check(page, 'events');
    await page.goto(`${url}/runs/fail?view=json`);
    await page.locator('.json-name').first().waitFor();
    await check(page, 'JSON');

    await page.goto(`${url}/runs/fail?at=30`);
    await page.getByRole('slider', { name: 'Moment of the run' }).waitFor();
    await check(page, 'replay');

    await app.start({ agent: 'worker', runId: 'wait', input: 'wait', threadId: 'talk' });
    await page.goto(`${url}/runs/wait`);
    await page.getByRole('button', { name: 'A question waits for you' }).click();
    await page.getByRole('button', { name: 'Approve' }).first().waitFor();
    await check(page, 'a question');
    await page.goto(`${url}/chat/talk`);
    await page.locator('.turn').nth(2).waitFor();
    await page.locator('.turn-answer table').first().waitFor();
    await page.locator('.work-chip').first().click();
    await page.locator('.flyout [data-slot=timeline-row]').first().waitFor();
    await check(page, 'conversation');
    await page.goto(`${url}/chat`);
    await page.getByText('Nothing was asked here yet.').waitFor();
    await check(page, 'new conversation');
  }, 60_000);

  test('where one signs in: before it, refused, and as somebody', async () => {
    const ann = makeKey({ userId: 'ann', scopes: ['read'] });
    const { app, url } = await stage.serve((app) => app.agent('worker', worker), { auth: { apiKeys: [ann.entry] } });
    await (await app.start({ agent: 'worker', runId: 'hers', owner: 'ann', input: 'Why?' })).finished();
    const { page } = await stage.visit(url);
    const signIn = async (key: string): Promise<void> => {
      await page.getByLabel('API key or token').fill(key);
      await page.locator('.sign-in-form').getByRole('button', { name: 'Sign in' }).click();
    };
    await page.getByLabel('API key or token').waitFor();
    await check(page, 'signing in');
    await signIn('tt_nothing');
    await page.getByRole('alert').waitFor();
    await check(page, 'refused');
    await signIn(ann.key);
    await page.getByRole('row', { name: /Why/ }).waitFor();
    await check(page, 'signed in');
  });
});
