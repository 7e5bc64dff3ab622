/** The hooks in a page, with both Reacts, over the real door. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../hub/recording.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { faultyProxy } from '../../testing/faulty-proxy.ts';
import { executablePath, Stage } from '../browser.fixture.ts';
import type { page as Driven } from './page.fixture.tsx';

/** Lets a run of the builder go on. */
let gate: PromiseWithResolvers<void>;
let app: Telltale;
let url: string;

beforeEach(async () => {
  gate = Promise.withResolvers();
  app = telltale({ store: 'memory:' });
  app.agent('builder', async (run, task) => {
    await run.plan('A page', ['Design', 'Write']);
    await run.step('Design', () => run.think('Plain HTML will do'));
    await run.step('Write', async () => {
      await run.tool('create_file', { path: 'index.html' }, () => ({ bytes: 3 }));
      await Promise.race([
        gate.promise,
        new Promise((_, reject) => run.signal.addEventListener('abort', () => reject(run.signal.reason))),
      ]);
      if (task === 'Fail') throw new Error('The disk is full');
    });
    await run.think('It is there');
  });
  ({ url } = await app.listen(0));
});
afterEach(() => app.close());

const mount = (page: Page, task: string): Promise<void> =>
  page.evaluate((task) => {
    (window as unknown as { unmount: () => void }).unmount = (window.page as unknown as typeof Driven).mount(task);
  }, task);
const shows = (page: Page, id: string, text: string): Promise<unknown> =>
  page.waitForFunction(([id, text]) => document.getElementById(id!)?.textContent === text, [id, text], {
    timeout: 10_000,
  });
const lines = (page: Page, id: string): Promise<string[]> => page.locator(`#${id} > *`).allTextContents();
const runs = async (): Promise<number> => (await (await fetch(`${url}/v1/runs`)).json()).runs.length;
const toolUse = 'tool_use create_file {"path":"index.html"}';
const toolResult = 'tool_result create_file: {"bytes":3}';

describe.skipIf(!executablePath).each([19, 18] as const)('with React %i in Chromium', (react) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(react, 'execution/page.fixture.tsx');
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  /** A page with the component, and what it asked of the events' address. */
  async function visit(task: string, at = url): Promise<{ page: Page; asked: string[]; problems: string[] }> {
    const { page, problems } = await stage.visit(at);
    const asked: string[] = [];
    page.on('request', (request) => /\/events(\?|$)/.test(request.url()) && asked.push(request.url()));
    await mount(page, task);
    return { page, asked, problems };
  }

  test('a task is started once, seen in every phase over cuts, each step once, and its connection ends with it', async () => {
    const proxy = await faultyProxy(url, () => ({}));
    stage.later(() => proxy.close());
    const { page, asked, problems } = await visit('Build', proxy.url);
    await page.dblclick('#start');
    await shows(page, 'status', 'running');
    await shows(page, 'beside', '3');
    expect(await lines(page, 'phases')).toEqual(['Design completed', 'Write running']);
    expect(await page.isDisabled('#start')).toBe(true);
    proxy.cutAll();
    gate.resolve();
    await shows(page, 'status', 'completed');
    expect(await lines(page, 'steps')).toEqual([
      ...['thinking Plain HTML will do', toolUse, toolResult, 'thinking It is there'],
    ]);
    expect(await lines(page, 'phases')).toEqual(['Design completed', 'Write completed']);
    expect(await page.isDisabled('#start')).toBe(false);
    // Two components and StrictMode are one connection, or one that goes on where the other was; and one after the cut.
    expect(new Set(asked.map((it) => it.split('?')[0])).size).toBe(1);
    expect(await runs()).toBe(1);
    await until(() => proxy.open === 0, 'the connection to end');
    expect(problems).toEqual([]);
  }, 30_000);

  test('what fails is told as an error, and the next task begins anew', async () => {
    gate.resolve();
    const { page, problems } = await visit('Fail');
    await page.click('#start');
    await shows(page, 'error', 'The disk is full');
    await shows(page, 'status', 'failed');
    expect(await lines(page, 'phases')).toEqual(['Design completed', 'Write failed']);
    gate = Promise.withResolvers();
    await page.click('#start');
    await page.waitForSelector('#error', { state: 'detached' });
    await shows(page, 'status', 'running');
    await shows(page, 'beside', '3');
    await page.click('#cancel');
    await shows(page, 'status', 'cancelled');
    await shows(page, 'error', 'cancelled');
    expect(problems).toEqual([]);
  }, 20_000);

  test('a start that got no answer, said again, starts no second run; a refusal is told', async () => {
    const { page } = await visit('Build');
    let failed = 0;
    await page.route('**/api/agent/execute', async (route) => {
      if (failed++ > 0) return route.continue();
      // It arrives, and its answer is lost.
      await route.fetch();
      await route.abort();
    });
    await page.click('#start');
    await page.waitForSelector('#error');
    expect(await page.isDisabled('#start')).toBe(false);
    await page.click('#start');
    await shows(page, 'beside', '3');
    expect(await runs()).toBe(1);
    gate.resolve();
    await shows(page, 'status', 'completed');

    await page.route('**/api/agent/execute', (route) =>
      route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: '{"code":"forbidden","detail":"No."}',
      }),
    );
    await page.click('#start');
    await shows(page, 'error', 'No.');
  }, 20_000);

  test('a proxy that fails for a while ends nothing; what is refused ends, and says why', async () => {
    const { page, asked } = await visit('Build');
    let answers = 0;
    await page.route('**/events*', (route) =>
      ++answers <= 2 ? route.fulfill({ status: 502, body: 'Bad gateway' }) : route.continue(),
    );
    await page.click('#start');
    await shows(page, 'beside', '3');
    expect(asked.length).toBeGreaterThanOrEqual(3);
    await page.evaluate(() => (window as unknown as { unmount: () => void }).unmount());
    await page.route('**/events*', (route) => route.fulfill({ status: 404, body: 'Not found' }));
    await mount(page, 'Build');
    await page.waitForSelector('#error');
    expect(await page.isDisabled('#start')).toBe(false);
  }, 20_000);
});
