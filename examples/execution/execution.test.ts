/** The example in Chromium, on real files: by rules, and with a local server that stands in for a model. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAiStub } from '../../src/adapters/openai-stub.fixture.ts';
import { executablePath, openBrowser, type Served, serve, violations } from '../example.fixture.ts';

describe.skipIf(!executablePath)('examples/execution in Chromium', () => {
  let browser: Browser;
  let folder: string;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-execution-'));
    await writeFile(
      join(folder, 'harbour.md'),
      '# The harbour\n\nThe lighthouse of <Lisbon> was lit in spring. Ships came.\n',
    );
    await writeFile(join(folder, 'oil.md'), '# Oil & light\n\nIn winter the lighthouse keeper had no oil at all.\n');
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    for (const close of closing) await close();
    await rm(folder, { recursive: true, force: true });
  });

  async function served(env?: NodeJS.ProcessEnv): Promise<Served> {
    const server = await serve('execution', [folder], env);
    closing.push(server.stop);
    return server;
  }
  async function start(page: Page, url: string, task: string): Promise<void> {
    await page.goto(url);
    await page.getByRole('textbox', { name: 'Task' }).fill(task);
    await page.getByRole('button', { name: 'Start' }).click();
  }
  const lines = (page: Page, id: string) =>
    page.locator(`#${id} li`).evaluateAll((all) => all.map((it) => [...it.children].map((part) => part.textContent)));
  const DONE = ['Find out', 'Outline', 'Write', 'Check'];

  test('a page is planned, written and shown, and shown again after a reload', async () => {
    const { url } = await served();
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(url);
    await page.waitForSelector('text=Answered by: rules, no LLM');
    await start(page, url, 'The lighthouse');
    const written = page.frameLocator('iframe');
    await written.locator('h1', { hasText: 'The lighthouse' }).waitFor();
    expect(await written.locator('h2').allTextContents()).toEqual(['Oil & light', 'The harbour']);
    expect(await written.locator('section p').allTextContents()).toEqual([
      ...['In winter the lighthouse keeper had no oil at all.', 'oil.md'],
      ...['The lighthouse of <Lisbon> was lit in spring.', 'harbour.md'],
    ]);
    const phases = await page.locator('#phases li').allTextContents();
    expect(phases).toEqual(DONE.map((it) => `✓ ${it} completed`));
    const steps = await lines(page, 'steps');
    expect(steps.map(([kind, text]) => `${kind} ${text?.split(/[ :]/)[0]}`)).toEqual([
      ...['tool list_documents', 'result list_documents', 'tool search', 'result search', 'thought oil.md,'],
      ...['tool create_file', 'result create_file', 'tool create_file', 'result create_file'],
      ...['tool check_page', 'result check_page'],
    ]);
    await page.reload();
    await page.frameLocator('iframe').locator('h1').waitFor();
    expect(await lines(page, 'steps')).toEqual(steps);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
    const answer = await fetch(`${url}${await page.locator('iframe').getAttribute('src')}`);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await fetch(`${url}/pages/..%2f..%2f/index.html`)).status).toBe(404);
  });

  test('with a model, each section is worded by it', async () => {
    const model = await openAiStub(() => ({ text: 'The <b>light</b> was lit.\n\nShips came.' }));
    closing.push(model.close);
    const { url } = await served({ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'stub-1' });
    const page = await browser.newPage();
    await start(page, url, 'The lighthouse');
    const paragraph = page.frameLocator('iframe').locator('section p').first();
    await paragraph.waitFor();
    expect(await paragraph.textContent()).toBe('The <b>light</b> was lit.');
    await page.waitForSelector('text=Answered by: stub-1');
    expect(model.requests).toHaveLength(2);
  });
});
