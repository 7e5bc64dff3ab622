import type { Page } from 'playwright-core';
import { type AgentFunction, type Telltale, telltale } from 'telltale';
import { type Client, createClient } from 'telltale/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Places } from '../../../src/agents/places.fixture.ts';
import { rehearse } from '../../../src/agents/rehearsal/rehearsal.ts';
import { executablePath, type Looks, Stage, type Visit } from '../console.fixture.ts';

const PACE = { stepMs: 300, wordMs: 2 };

/** Says what it is told, until it is told to end: a test decides when something happens. */
const echo: AgentFunction = async (run) => {
  const pieces = async function* () {
    for await (const { input } of run.inputs()) {
      if (input === 'end') return;
      yield String(input);
    }
  };
  return run.say(pieces());
};

const asks = async (page: Page, question: string): Promise<void> => {
  await page.getByLabel('Your question').fill(question);
  await page.getByLabel('Your question').press('Enter');
};
const answer = (page: Page) => page.locator('.turn-answer .markdown, .turn-answer .plain-text').last();
const threadOf = (page: Page): string => new URL(page.url()).pathname.split('/').at(-1) ?? '';

describe.skipIf(!executablePath)('the chat', () => {
  const places = new Places();
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(async () => {
    await stage.close();
    places.remove();
  });

  async function visit(url: string, looks?: Looks): Promise<Visit> {
    const visit = await stage.visit(url, looks);
    visit.page.setDefaultTimeout(10_000);
    return visit;
  }

  async function serve(): Promise<{ url: string; app: Telltale; client: Client }> {
    const workspace = places.docs();
    const { app, url } = await stage.serve((app) => {
      const about = { description: 'Counts files.', model: 'rules, no LLM' };
      app.agent('rehearsal', (run, input) => rehearse(run, input, { workspace, pace: PACE }), about);
      app.agent('echo', echo);
      app.agent('asker', async (run) => String((await run.approve({ prompt: 'Delete it?' })).approved));
    });
    return { app, url, client: createClient({ url }) };
  }

  test('a question is worked on and answered, through a reload, in another tab; what was done opens beside it', async () => {
    const { url } = await serve();
    const { page, problems } = await visit(`${url}/chat`);
    await page.getByText('Nothing was asked here yet.').waitFor();
    const other = await visit(page.url(), { width: 390, height: 844 });
    await other.page.getByText('Nothing was asked here yet.').waitFor();
    await page.getByLabel('Agent').selectOption('rehearsal');
    await page.getByLabel('Your question').pressSequentially('How many');
    await page.getByLabel('Your question').press('Shift+Enter');
    await page.getByLabel('Your question').pressSequentially('files?');
    await page.getByLabel('Your question').press('Enter');

    await page.getByText('Thinking…').waitFor();
    await page.getByText('[Scout] agent').waitFor();
    expect(await page.getByLabel('Your question').inputValue()).toBe('');
    await page.reload();
    await page.locator('.turn-question p').waitFor();
    expect(await page.locator('.turn-question p').innerText()).toBe('How many\nfiles?');
    const heard = page.locator('[role=status]', { hasText: 'The answer is there.' });
    await heard.waitFor({ state: 'attached' });
    for (const { page: tab } of [{ page }, other]) {
      const chip = tab.getByRole('button', { name: /^Thinking finished · \d s · 5 tools/ });
      await chip.waitFor();
      await tab.getByRole('row', { name: 'guide/fees.md 3' }).waitFor();
      expect(await tab.locator('.turn').count()).toBe(1);
      expect(await answer(tab).innerText()).toContain('There are 4 files');
    }

    const main = page.locator('.chat-main');
    const widthOf = async (): Promise<number> => (await main.boundingBox())?.width ?? 0;
    const wide = await widthOf();
    await page.locator('h1').click();
    await page.keyboard.press('t');
    const flyout = page.getByRole('complementary', { name: 'Thinking' });
    await flyout.getByRole('listitem').filter({ hasText: 'statistics' }).waitFor();
    expect(await widthOf()).toBeLessThan(wide - 300);
    expect(new URL(page.url()).searchParams.get('thinking')).not.toBeNull();
    await page.keyboard.press('/');
    expect(await page.getByLabel('Your question').evaluate((it) => it === document.activeElement)).toBe(true);
    await page.keyboard.press('Escape');
    await flyout.waitFor({ state: 'detached' });

    await other.page.locator('.work-chip').press('Enter');
    const sheet = other.page.getByRole('dialog', { name: 'Thinking' });
    await sheet.getByText('Read and count').first().waitFor();
    await other.page.keyboard.press('Escape');
    await sheet.waitFor({ state: 'detached' });
    expect(await other.page.locator('.work-chip').evaluate((it) => it === document.activeElement)).toBe(true);
    expect([problems, other.problems]).toEqual([[], []]);
  });

  test('dropped connections, lost events and a lost place are told; nothing of the answer is there twice or missing', async () => {
    const { url, client } = await serve();
    const { page, problems } = await visit(`${url}/chat`);
    await page.getByLabel('Agent').selectOption('echo');
    await asks(page, 'Say it.');
    await page.getByText('Thinking…').waitFor();
    const [listed] = (await client.list({ threadId: threadOf(page) })).runs;
    const run = client.run(listed?.runId ?? '');
    let said = '';
    const say = async (text: string): Promise<void> => {
      said += text;
      await run.input(text);
    };
    /** Does not wait for the next attempt where there is one to wait for. */
    const shows = (end = said) =>
      page.waitForFunction(
        (it) => {
          document.querySelector<HTMLElement>('.chat-connection button')?.click();
          return document.querySelector('.turn-answer')?.textContent?.trim().endsWith(it);
        },
        end,
        { polling: 300 },
      );
    await say('one');
    await shows();
    await page.getByText('Break it').click();

    // The next attempt may come at once: it is held until the page has said that it waits for one.
    const { promise: isTold, resolve: told } = Promise.withResolvers<void>();
    await page.route(/\/stream/, (route) => isTold.then(() => route.continue()));
    await page.getByRole('button', { name: 'Drop the connection' }).click();
    await page
      .getByText(/Connection lost.* The run continues\./)
      .first()
      .waitFor({ state: 'attached' });
    told();
    await page.unroute(/\/stream/);
    await say(' two');
    await shows();
    await page.getByText(/Live · \d+ events/).waitFor();

    await page.getByRole('button', { name: 'Lose 20 events' }).click();
    for (let i = 0; i < 12; i++) await say(` ${i}`);
    await page.getByText('20 events did not reach this page').waitFor();
    await shows();

    await page.getByRole('button', { name: 'Lose the place' }).click();
    await page.getByText('read again from its beginning, 1 time').waitFor();
    await say(' three');
    await shows();
    expect(await answer(page).innerText()).toBe(said);

    // The end stays in sight until the reader goes up.
    await say(`\n\n${'- more\n'.repeat(60)}\nlast`);
    await shows('last');
    const isAtEnd = () =>
      page.locator('.chat-viewport').evaluate((it) => it.scrollHeight - it.clientHeight - it.scrollTop < 24);
    await expect.poll(isAtEnd).toBe(true);
    await page.locator('.chat-viewport').hover();
    await page.mouse.wheel(0, -300);
    const toEnd = page.getByRole('button', { name: 'New answer' });
    await toEnd.waitFor();
    await say(' one');
    await shows('last one');
    expect(await isAtEnd()).toBe(false);
    await toEnd.click();
    await expect.poll(isAtEnd).toBe(true);
    await run.input('end');
    await page.getByText(/Finished in/).waitFor();
    expect(await page.locator('.turn').count()).toBe(1);
    expect(problems).toEqual([]);
  });

  test('a tool that fails, a crash, a pause, a cancel and an approval stand where they happened', async () => {
    const { url, client } = await serve();
    const { page, problems } = await visit(`${url}/chat`);
    const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
    await page.getByText('Break it').click();
    expect(await page.getByRole('button', { name: 'Fail a tool' }).isDisabled()).toBe(true);
    await page.getByLabel('Agent').selectOption('rehearsal');
    await asks(page, 'Count.');
    await press('Fail a tool');
    await page.locator('.work-problem', { hasText: 'somebody asked for it' }).first().waitFor();
    await page.getByText(/Thinking finished · .* · 1 failed/).waitFor();

    await asks(page, 'Again.');
    await press('Pause the run');
    await page.locator('.turn-standing', { hasText: 'Paused. Waiting for a decision.' }).waitFor();
    await press('Resume');
    await press('Crash the agent');
    await page.locator('.turn-standing', { hasText: 'Failed: The agent was made to crash' }).waitFor();
    await page.locator('[role=alert]', { hasText: 'made to crash' }).waitFor({ state: 'attached' });

    await asks(page, 'And again.');
    await press('Stop');
    await page.locator('.turn-standing', { hasText: 'Cancelled.' }).waitFor();

    await page.getByLabel('Agent').selectOption('asker');
    await asks(page, 'Tidy up.');
    await page.getByRole('group', { name: 'Delete it?' }).waitFor();
    const runId = (await page.locator('.turn').last().getAttribute('data-run')) ?? '';
    const { approvals } = await client.snapshot(runId);
    await client.run(runId).approve(approvals[0]?.id ?? '');
    await page.getByText('Delete it? Answered: Approve').waitFor();
    expect(await page.locator('.turn').evaluateAll((all) => all.map((it) => it.getAttribute('data-phase')))).toEqual([
      ...['completed', 'failed', 'cancelled', 'completed'],
    ]);
    expect(problems).toEqual([]);
  });

  test('what is typed stays until it is asked: through a reload, and where the server does not take it', async () => {
    const { url, app } = await serve();
    const { page } = await visit(`${url}/chat`);
    const input = page.getByLabel('Your question');
    await page.getByLabel('Agent').selectOption('rehearsal');
    await input.fill('Count.');
    // Enter belongs to the input method while it composes.
    await input.dispatchEvent('keydown', { key: 'Enter', isComposing: true });
    await page.reload();
    await page.getByText('Nothing was asked here yet.').waitFor();
    expect(await input.inputValue()).toBe('Count.');

    // A server that comes back without the agent, and gets it later.
    await page.getByLabel('Agent').selectOption('rehearsal');
    await app.close();
    const next = telltale({ store: 'memory:' });
    stage.later(() => next.close());
    next.agent('echo', echo);
    await next.listen(Number(new URL(url).port));
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('This agent is not there any more').waitFor();
    expect(await input.inputValue()).toBe('Count.');
    next.agent('rehearsal', async () => '7');
    await page.getByRole('button', { name: 'Retry' }).click();
    await page.getByText('Finished in').waitFor();
    expect(await answer(page).innerText()).toBe('7');
    expect(await input.inputValue()).toBe('');
  });
});
