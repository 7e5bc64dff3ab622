import { createClient } from 'telltale/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

describe.skipIf(!executablePath)('the list of runs', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  const open = () =>
    stage.serve((app) => {
      app.agent('greeter', async (run, input) => run.say(`Hello ${input}.`), {
        description: 'Says hello.',
        model: 'rules, no LLM',
      });
      app.agent('waiter', (run) => run.approve({ prompt: 'Go on?' }).then(String));
    });

  test('a server without runs offers three ways to start one, and its own form starts a real one', async () => {
    const { url } = await open();
    const { page, problems } = await stage.visit(url);
    await page.getByRole('heading', { name: 'No runs yet' }).waitFor();
    for (const [language, words] of [
      ['Python', 'urllib.request'],
      ['TypeScript', 'createClient'],
      ['curl', `${url}/v1/runs`],
    ] as const) {
      await page.getByRole('button', { name: language }).click();
      expect(await page.locator('.welcome pre').textContent()).toContain(words);
    }
    expect(await page.locator('.start').textContent()).toContain('Says hello. Model: rules, no LLM.');
    await page.getByLabel('Input: text').fill('{"name": ');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText('The input begins as JSON, and is none').waitFor();
    await page.getByLabel('Input: text').fill('Ada');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.waitForURL(/\/runs\/[\w-]+$/);
    await page.getByText('Hello Ada.').first().waitFor();
    expect(problems).toEqual([]);
  });

  test('runs that appear wait until they are asked for, what changes is told in place, and filters stand in the address', async () => {
    const { app, url } = await open();
    await app.start({ agent: 'waiter', runId: 'asks', input: 'Refund 240' });
    const { page, problems } = await stage.visit(url);
    const row = page.getByRole('row', { name: /asks/ });
    await row.getByText('1 question').waitFor();
    await row.getByText('Refund 240').waitFor();

    await app.start({ agent: 'greeter', runId: 'new1', input: 'Bob' });
    await app.start({ agent: 'greeter', runId: 'new2', input: 'Eve' });
    await page.getByRole('button', { name: '2 new runs' }).waitFor();
    expect(await page.getByRole('row').count()).toBe(2);
    await page.keyboard.press('n');
    await page.getByRole('row', { name: /new2/ }).waitFor();
    await page.getByRole('link', { name: 'Bob' }).waitFor();
    await page.getByRole('link', { name: 'Eve' }).waitFor();
    expect(await page.locator('.runs-link').allTextContents()).toEqual(['Eve', 'Bob', 'Refund 240']);

    const client = createClient({ url });
    const { approvals } = await client.snapshot('asks');
    await client.run('asks').approve(approvals[0]?.id ?? '');
    await row.getByText('finished').waitFor();

    await page.keyboard.press('j');
    expect(await page.locator(':focus').textContent()).toBe('Eve');
    await page.keyboard.press('/');
    await page.keyboard.type('bob');
    await page.waitForFunction(() => document.querySelectorAll('.runs-link').length === 1);
    expect(new URL(page.url()).search).toBe('?find=bob');
    await page.getByLabel('Status').selectOption('failed');
    await page.getByText('No run matches these filters.').waitFor();
    await page.getByRole('button', { name: 'Without the filter “bob”' }).click();
    await page.getByRole('button', { name: 'Show all runs' }).click();
    await page.getByRole('row', { name: /asks/ }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    expect(problems).toEqual([]);
  });

  test('what can be done here is found by a word of it, and what keys do is listed', async () => {
    const { app, url } = await open();
    await app.start({ agent: 'greeter', runId: 'hello', input: 'Ada' });
    const { page } = await stage.visit(url);
    await page.getByRole('row', { name: /hello/ }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'What keys do' }).getByText('Start a run').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'What to do or open' }).fill('greeter hello');
    await page.locator('.palette [role=option]').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/runs\/hello$/);
    await page.getByText('Hello Ada.').first().waitFor();
  });
});
