/** The example in Chromium: with rules over a cut connection, and with a local server that stands in for a model. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAiStub } from '../../src/adapters/openai-stub.fixture.ts';
import { faultyProxy } from '../../src/testing/faulty-proxy.ts';
import { executablePath, openBrowser, serve, violations } from '../example.fixture.ts';

describe.skipIf(!executablePath)('examples/chat in Chromium', () => {
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
    const { url, stop } = await serve('chat', [], env);
    closing.push(stop);
    return url;
  }
  async function ask(page: Page, message: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Question' }).fill(message);
    await page.getByRole('button', { name: 'Ask' }).click();
  }
  const state = (page: Page, text: string) => page.locator('#connection [role=status]', { hasText: text }).waitFor();

  test('an answer comes once and whole over a cut, by the specialists whose question it is', async () => {
    let cutAt = -1;
    const proxy = await faultyProxy(await served(), (n) => (n === cutAt ? { cutAfter: 1100, cutBy: 'fin' } : {}));
    closing.push(() => proxy.close());
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(proxy.url);
    await state(page, 'not connected');
    // What follows is a new connection, and that one is cut.
    proxy.cutAll();
    cutAt = proxy.connections;
    await page.evaluate(() => {
      const it = document.querySelector<HTMLElement>('#connection [role=status]')!;
      const states: (string | undefined)[] = [];
      Object.assign(globalThis, { states });
      new MutationObserver(() => states.push(it.dataset.state)).observe(it, { attributeFilter: ['data-state'] });
    });
    await ask(page, 'Is my cholesterol too high?');
    await page.locator('.answer', { hasText: 'no medical advice' }).waitFor();
    await state(page, 'not connected');
    expect(await page.locator('.answer').textContent()).toBe(
      'Outside of the reference range:\n' +
        '• Total cholesterol 6 mmol/L (2026-10-20), up from 5.4: above the reference range, which ends at 5.\n' +
        '• LDL cholesterol 4.1 mmol/L (2026-10-20), up from 3.6: above the reference range, which ends at 3.\n\n' +
        'The rest:\n' +
        '• HDL cholesterol 1.3 mmol/L (2026-10-20): within the reference range (from 1.2).\n' +
        '• Triglycerides 1.5 mmol/L (2026-10-20), up from 1.4: within the reference range (to 1.7).\n\n' +
        'By rules, no LLM. This compares numbers with ranges. It is no medical advice.',
    );
    expect(await page.locator('.work li').allTextContents()).toEqual([
      'Lipid Specialist: started',
      'read_labs: Total cholesterol, LDL cholesterol, HDL cholesterol, Triglycerides',
      'Lipid Specialist: completed',
    ]);
    const states = await page.evaluate(() => (globalThis as unknown as { states: string[] }).states);
    expect(states).toEqual(['connecting', 'connected', 'connecting', 'connected', 'idle']);
    expect((await (await fetch(`${proxy.url}/v1/runs`)).json()).runs).toHaveLength(1);
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
  }, 20_000);

  test('with a model, the answer is what it writes, from the facts of the specialists', async () => {
    const model = await openAiStub(() => ({ text: 'Your iron store is low.' }));
    closing.push(model.close);
    const page = await browser.newPage();
    await page.goto(await served({ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'stub-1' }));
    await ask(page, 'Why am I tired?');
    await page.locator('.answer', { hasText: 'Your iron store is low.' }).waitFor();
    await state(page, 'not connected');
    expect(await page.locator('.answer').textContent()).toBe('Your iron store is low.');
    expect(JSON.stringify(model.requests[0]!.messages)).toContain('Ferritin 11 µg/L (2026-10-20), down from 22: below');
  }, 20_000);
});
