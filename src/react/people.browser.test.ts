/** What people ask of a run, and what it asks of them: the same in every tab, because the log says it. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { append, delta, END, START } from '../hub/drafts.fixture.ts';
import type { Log } from '../log/index.ts';
import { encodeEvent } from '../protocol/index.ts';
import { faultyProxy } from '../testing/faulty-proxy.ts';
import { executablePath, mount, Stage, shows } from './browser.fixture.ts';

const ASKED = ['approval.requested', { approvalId: 'a1', prompt: 'Delete it?' }] as const;

describe.skipIf(!executablePath)('in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  /** Two tabs that show the same. */
  async function tabs(url: string, name: 'Commands' | 'Question'): Promise<[Page, Page]> {
    const pages = [await stage.visit(url), await stage.visit(url)].map(({ page }) => page) as [Page, Page];
    for (const page of pages) await mount(page, [name], 'r', true);
    return pages;
  }

  test('a cancel that was asked for is pending in every tab, overdue when the log says so, and at last refused', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START]);
    const [one, two] = await tabs(url, 'Commands');
    for (const page of [one, two]) {
      await shows(page, 'cancel', 'can');
      await shows(page, 'pause', 'can');
      await shows(page, 'resume', '');
    }
    await one.click('#cancel');
    for (const page of [one, two]) {
      await shows(page, 'cancel', 'pending requested');
      // Nothing else makes sense any more.
      await shows(page, 'pause', '');
    }
    const commandId = await commandOf(url);
    await append(log, 'r', [['control.overdue', { commandId }]]);
    for (const page of [one, two]) await shows(page, 'cancel', 'can pending overdue overdue');
    await append(log, 'r', [
      ['control.refused', { commandId, error: { code: 'busy', message: 'It cannot stop now.' } }],
    ]);
    for (const page of [one, two]) await shows(page, 'cancel', 'can command_refused refused');
    // A tab that comes later is told the same.
    const { page } = await stage.visit(url);
    await mount(page, ['Commands']);
    await shows(page, 'cancel', 'can command_refused refused');
  });

  test('what the server has taken stays pending until the log says so here, however late that is', async () => {
    const server = await stage.serve();
    const proxy = await faultyProxy(server.url, () => ({}));
    stage.later(() => proxy.close());
    await append(server.log, 'r', [START]);
    const { page } = await stage.visit(proxy.url);
    await mount(page, ['Commands']);
    await shows(page, 'cancel', 'can');
    // Nothing of the log comes through any more; requests do.
    await page.route('**/stream*', (route) => route.abort());
    proxy.cutAll();
    const taken = page.waitForResponse(/cancel$/);
    await page.click('#cancel');
    await (await taken).finished();
    // Two frames later the answer has been shown, if at all.
    await page.evaluate(() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go))));
    expect(await page.textContent('#cancel')).toBe('pending');
    await page.unroute('**/stream*');
    await shows(page, 'cancel', 'pending requested');
  });

  test('pausing and resuming is shown as done when the log says so, with who asked', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START, asked('pause', 'c1', { by: 'dana', reason: 'lunch' })]);
    const [one, two] = await tabs(url, 'Commands');
    for (const page of [one, two]) {
      await shows(page, 'pause', 'pending requested dana lunch');
      // It takes the pause back.
      await shows(page, 'resume', 'can');
    }
    await append(log, 'r', [['run.paused', { commandId: 'c1' }], delta('…')]);
    for (const page of [one, two]) {
      await shows(page, 'pause', 'applied dana lunch 3');
      await shows(page, 'cancel', 'can');
    }
    await append(log, 'r', [asked('resume', 'c2'), ['run.resumed', { commandId: 'c2' }]]);
    await shows(two, 'resume', 'applied 6');
    await shows(two, 'pause', 'can applied dana lunch 3');
    await append(log, 'r', [END]);
    await shows(two, 'cancel', '');
  });

  test('a pause that cannot be asked for says why, and is asked for again under the same key', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START]);
    const { page, problems } = await stage.visit(url);
    const keys: (string | undefined)[] = [];
    page.on('request', (it) => it.url().endsWith('/pause') && keys.push(it.headers()['idempotency-key']));
    await page.evaluate(() => {
      // No patience between attempts.
      Math.random = () => 0;
    });
    await mount(page, ['Commands']);
    await shows(page, 'pause', 'can');
    await page.route('**/pause', (route) => route.abort());
    await page.click('#pause');
    await shows(page, 'pause', 'can unreachable');
    await page.unroute('**/pause');
    // What was clicked says nothing of the command: handlers are given an event.
    await page.dblclick('#pause');
    await shows(page, 'pause', 'pending requested');
    expect(new Set(keys).size).toBe(1);
    expect(await commandOf(url)).toMatch(/\w/);
    await page.click('#resume');
    await shows(page, 'resume', 'pending requested');
    expect(problems).toEqual([]);
  });

  test('a question is open in every tab until the first answer, and stays answered after a reload', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START]);
    const [one, two] = await tabs(url, 'Question');
    for (const page of [one, two]) await shows(page, 'approval', 'pending approve/deny false     ');
    await append(log, 'r', [ASKED]);
    for (const page of [one, two]) await shows(page, 'approval', 'requested approve/deny false     ');
    const answer = { approvalId: 'a1', decision: 'deny', by: 'dana', comment: 'too much' };
    await append(log, 'r', [
      ['approval.resolved', answer],
      ['approval.resolved', { ...answer, by: 'late' }],
    ]);
    for (const page of [one, two]) await shows(page, 'approval', 'resolved approve/deny false deny dana too much  ');
    const { page } = await stage.visit(url);
    await mount(page, ['Question']);
    await shows(page, 'approval', 'resolved approve/deny false deny dana too much  ');
  });

  test('a deadline counts down where there is one; an expired question is told so', async () => {
    const { url, log } = await stage.serve();
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    await append(log, 'r', [START, [ASKED[0], { ...ASKED[1], options: ['now', 'later'], expiresAt }]]);
    const { page } = await stage.visit(url);
    await mount(page, ['Question']);
    await shows(page, 'approval', 'requested now/later false     true');
    await append(log, 'r', [['approval.expired', { approvalId: 'a1' }]]);
    await shows(page, 'approval', 'expired now/later false     ');
  });

  test('an answer counts once: who comes second is told what was decided, and by whom', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START, ASKED]);
    const [one, two] = await tabs(url, 'Question');
    for (const page of [one, two]) await shows(page, 'approval', 'requested approve/deny false     ');
    // Two clicks of one person are one answer.
    await one.dblclick('#deny');
    for (const page of [one, two]) await shows(page, 'approval', 'resolved approve/deny false deny dana too much  ');
    await two.click('#approve');
    await shows(two, 'approval', 'resolved approve/deny false deny dana too much already_decided ');
  });

  test('a budget says what is used of it, and renders when that changes', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START, ['budget.set', { maxCost: 1, maxTokens: 5_000, currency: 'USD' }]]);
    const { page } = await stage.visit(url);
    await mount(page, ['Budget', 'Whole']);
    await shows(page, 'budget', 'USD|false|cost 0 1 0 ok  |tokens 0 5000 0 ok  ');
    const before = await page.evaluate(() => window.page.counts.Budget);
    for (let i = 1; i <= 3; i++) {
      await append(log, 'r', [delta('.')]);
      await shows(page, 'whole', `running live  ${i + 2} ${'.'.repeat(i)}`);
    }
    const usage = { inputTokens: 4_000, outputTokens: 500 };
    await append(log, 'r', [
      ['usage.updated', { usage }],
      ['budget.warning', { limit: 'tokens', used: 4_500, max: 5_000 }],
    ]);
    await shows(page, 'budget', 'USD|true|cost  1  ok  |tokens 4500 5000 0.9 warning 4500 ');
    expect(await page.evaluate(() => window.page.counts.Budget)).toBe(before! + 1);
    await append(log, 'r', [
      ['usage.updated', { usage: { ...usage, totalTokens: 6_000 } }],
      ['budget.exceeded', { limit: 'tokens', used: 6_000, max: 5_000, decision: 'ask' }],
    ]);
    await shows(page, 'budget', 'USD|true|cost  1  ok  |tokens 6000 5000 1.2 exceeded 4500 ask');
  });

  test('a queue is first come, first served; who has started waits no longer', async () => {
    const { url, log } = await stage.serve();
    for (const [i, runId] of ['r1', 'r2', 'r3'].entries()) await wait(log, runId, i);
    const { page } = await stage.visit(url);
    await mount(page, ['Queue'], 'r3');
    await shows(page, 'queue', 'r1:0 r2:1 r3:2 2');
    await begin(log, 'r1');
    await shows(page, 'queue', 'r2:0 r3:1 1');
  });

  test('a slice of the thinking or of the timeline renders when that slice changes', async () => {
    const { url, log } = await stage.serve();
    await append(log, 'r', [START, ['reasoning.delta', { reasoningId: 'x', delta: 'Hm' }]]);
    const { page } = await stage.visit(url);
    await mount(page, ['Slices', 'Thinking']);
    await shows(page, 'slices', 'true 1');
    const before = await page.evaluate(() => window.page.counts.Slices);
    for (let i = 1; i < 5; i++) {
      await append(log, 'r', [['reasoning.delta', { reasoningId: 'x', delta: '.' }]]);
      await shows(page, 'thinking', `Hm${'.'.repeat(i)} true 0`);
    }
    expect(await page.evaluate(() => window.page.counts.Slices)).toBe(before);
    await append(log, 'r', [['reasoning.completed', { reasoningId: 'x', durationMs: 1500 }], delta('So')]);
    await shows(page, 'slices', 'false 2');
  });
});

const asked = (command: string, commandId: string, more = {}) =>
  ['control.requested', { command, commandId, ...more }] as const;

async function commandOf(url: string): Promise<string> {
  const { commands } = (await (await fetch(`${url}/v1/runs/r`)).json()) as { commands: { id: string }[] };
  expect(commands).toHaveLength(1);
  return commands[0]?.id ?? '';
}

/** Opens a run that waits for its turn. */
const wait = (log: Log, runId: string, second: number): Promise<unknown> =>
  turn(log, runId, 'run.queued', second, true);
const begin = (log: Log, runId: string): Promise<unknown> => turn(log, runId, 'run.started', 9, false);

function turn(log: Log, runId: string, type: string, second: number, isFirst: boolean): Promise<unknown> {
  const time = new Date(Date.UTC(2026, 10, 20, 18, 0, second)).toISOString();
  const event = encodeEvent({ type, data: { agent: 'a' } }, { threadId: runId, runId, time });
  return log.append(runId, [event], { runId, ...(isFirst && { opens: { agent: 'a', createdAt: time } }) });
}
