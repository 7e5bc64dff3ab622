/** The example in Chromium, on real files: with rules and their play money, and with a local server that stands in for a model. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAiStub } from '../../src/adapters/openai-stub.fixture.ts';
import { executablePath, openBrowser, type Served, serve, violations } from '../example.fixture.ts';

/** 6,000 words each of which cost 0.0001: two are more than the budget of 1. */
const long = (name: string): string =>
  `The ${name} keeps the lighthouse lit. ${'Nothing of this is asked for. '.repeat(1000)}`;

describe.skipIf(!executablePath)('examples/workflow in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser;
  let folder: string;
  let rules: Served;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'telltale-workflow-'));
    for (const name of ['ann', 'bob', 'cleo']) await writeFile(join(folder, `${name}.md`), long(name));
    [browser, rules] = await Promise.all([openBrowser(), served()]);
  });
  afterAll(async () => {
    await browser?.close();
    for (const close of closing) await close();
    await rm(folder, { recursive: true, force: true });
  });

  async function served(env?: NodeJS.ProcessEnv): Promise<Served> {
    const server = await serve('workflow', [folder], env);
    closing.push(server.stop);
    return server;
  }
  async function start(page: Page, url: string): Promise<void> {
    await page.goto(url);
    await page.getByRole('textbox', { name: 'Task' }).fill('Who keeps the lighthouse lit?');
    await page.getByRole('button', { name: 'Start' }).click();
  }
  const status = (page: Page, text: string) => page.locator('#state [role=status]', { hasText: text }).waitFor();
  const steps = (page: Page): Promise<string[]> =>
    page.locator('#steps li').evaluateAll((all) =>
      all.map((it) =>
        [...it.childNodes]
          .map((node) => ((node as Element).tagName === 'OL' ? '' : node.textContent))
          .join('')
          .trim(),
      ),
    );
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

  const READ = '✓ rules, no LLM 6,012 words · 0.601 XTS';

  test('a task is metered, warns, pauses at its budget, and goes on where it was', async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await start(page, rules.url);
    await status(page, 'paused');
    await page.getByText('cost: 1.2 of 1. The budget is used up. Resume gives it the same amount again.').waitFor();
    await page.getByText('1.2 XTS spent').waitFor();
    const paused = [
      '✓ Find documents',
      '✓ list_documents',
      '✓ search',
      '✓ Read ann.md',
      READ,
      '✓ Read bob.md',
      READ,
      '● Read cleo.md',
    ];
    expect(await steps(page)).toEqual(paused);
    await page.locator('meter').waitFor();
    expect(await page.locator('meter').evaluate((it: HTMLMeterElement) => [it.value > it.max * 0.99, it.max])).toEqual([
      true,
      1,
    ]);
    expect(await violations(page)).toEqual([]);

    await page.reload();
    await status(page, 'paused');
    expect(await steps(page)).toEqual(paused);
    await button(page, 'Resume').click();
    await status(page, 'completed');
    expect((await steps(page)).slice(paused.length - 1, -2)).toEqual(['✓ Read cleo.md', READ]);
    const result = await page.locator('#result').textContent();
    expect(result).toContain('bob.md\n  The bob keeps the lighthouse lit.\n');
    expect(result).toContain('By rules, no LLM');
    expect(await button(page, 'Cancel').isDisabled()).toBe(true);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('the curl lines of the page do what its buttons do; cancelled, it says so', async () => {
    const page = await browser.newPage();
    await start(page, rules.url);
    await status(page, 'paused');
    const lines = (await page.locator('#curl').textContent())!;
    const [watch, resume] = [...lines.matchAll(/https?:\S+\/(?:stream|resume)/g)].map(([url]) => url);
    expect((await fetch(resume!, { method: 'POST' })).status).toBe(202);
    await status(page, 'completed');
    expect(await (await fetch(watch!)).text()).toMatch(
      /^event: WorkflowBudgetExceeded$[\s\S]*^event: WorkflowCompleted$/m,
    );

    await start(page, rules.url);
    await status(page, 'paused');
    await button(page, 'Cancel').click();
    await status(page, 'cancelled');
  });

  test('with a model, each document is a call of it, and the result is its answer', async () => {
    const model = await openAiStub((_, index) => ({
      text: `Answer ${index}.`,
      usage: { prompt_tokens: 90, completion_tokens: 10, total_tokens: 100 },
    }));
    closing.push(model.close);
    const { url } = await served({ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'stub-1' });
    const page = await browser.newPage();
    await start(page, url);
    await status(page, 'completed');
    expect(await page.locator('#result').textContent()).toBe('Answer 3.');
    expect((await steps(page)).filter((it) => it.includes('stub-1'))).toEqual(
      Array(4).fill('✓ stub-1 100 tokens · cost unknown'),
    );
    expect(JSON.stringify(model.requests[3]!.messages)).toContain('bob.md\\nAnswer 1.');
  });
});
