/** What the hooks show in a real browser, and how often they render. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { append, delta, END, START } from '../hub/drafts.fixture.ts';
import { executablePath, many, mount, Stage, shows } from './browser.fixture.ts';

describe.skipIf(!executablePath)('in Chromium', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open(19);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  test('1,000 events a second are at most a render per frame; what shows the status renders when that changes', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [START]);
    const { page, problems } = await stage.visit(server.url);
    await page.evaluate(() => {
      const frame = (): void => {
        window.framesPainted++;
        requestAnimationFrame(frame);
      };
      window.framesPainted = 0;
      frame();
    });
    await mount(page, ['Whole', 'Status', 'Connection', 'Throttled']);
    await shows(page, 'whole', 'running live  1 ');
    const start = performance.now();
    for (let i = 1; i <= 75; i++) {
      await append(
        server.log,
        'r',
        many(20, () => delta('.')),
      );
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + i * 20 - performance.now())));
    }
    const took = performance.now() - start;
    await append(server.log, 'r', [END]);
    await shows(page, 'whole', `completed closed  1502 ${'.'.repeat(1500)}`);
    await shows(page, 'throttled', '1502');
    const { counts, frames } = await page.evaluate(() => ({
      counts: window.page.counts,
      frames: window.framesPainted,
    }));
    // A render is told of in the frame that shows it; the first and the last ones need none.
    expect(counts.Whole).toBeLessThanOrEqual(frames + 3);
    expect(counts.Whole).toBeGreaterThan(10);
    expect(counts.Status).toBeLessThanOrEqual(3);
    expect(counts.Connection).toBeLessThanOrEqual(5);
    expect(counts.Throttled).toBeLessThanOrEqual(took / 200 + 4);
    expect(problems).toEqual([]);
  });

  test('a row of the timeline renders when it changes, and thinking folds when it is over', async () => {
    const server = await stage.serve();
    const agent = { id: 'i1', name: 'finder', path: 'i1' };
    const call = { toolCallId: 't', name: 'search' };
    await append(server.log, 'r', [
      START,
      ['agent.started', {}, agent],
      ['tool.called', { ...call, args: {} }, agent],
      ['reasoning.delta', { reasoningId: 'x', delta: 'Hm' }],
    ]);
    const { page } = await stage.visit(server.url);
    await mount(page, ['Timeline', 'Thinking']);
    await shows(page, 'timeline', '0 agent open1 tool closed0 thinking open');
    await shows(page, 'thinking', 'Hm true 0');
    const before = await page.evaluate(() => ({ ...window.page.counts }));
    for (let i = 0; i < 5; i++) {
      await append(server.log, 'r', [['reasoning.delta', { reasoningId: 'x', delta: '.' }]]);
      await shows(page, 'thinking', `Hm${'.'.repeat(i + 1)} true 0`);
    }
    await append(server.log, 'r', [['reasoning.completed', { reasoningId: 'x', durationMs: 1500 }]]);
    await shows(page, 'timeline', '0 agent open1 tool closed0 thinking closed');
    await shows(page, 'thinking', 'Hm..... false 1500');
    const after = await page.evaluate(() => window.page.counts);
    for (const key of ['agent:0:i1', 'tool:2:i1t']) {
      expect(before[key]).toBeGreaterThan(0);
      expect(after[key]).toBe(before[key]);
    }
    expect(after['thinking:0:x']).toBe(before['thinking:0:x']! + 6);
  });

  test('a reader who scrolls back loads what came before, and keeps it while the run goes on', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [START, ...many(999)]);
    await append(server.log, 'r', many(1000));
    const { page } = await stage.visit(server.url);
    await mount(page, ['Events']);
    await shows(page, 'events', '1001 2000 1000 true');
    for (const shown of ['501 2000 1500 true', '1 2000 2000 false']) {
      await page.click('#events');
      await shows(page, 'events', shown);
    }
    await append(server.log, 'r', many(10));
    await shows(page, 'events', '1 2010 2010 false');

    // While the window moves on, what was shown stays.
    await append(server.log, 'busy', [START, ...many(999)]);
    await append(server.log, 'busy', many(1000));
    await page.evaluate(() => window.page.unmount());
    await mount(page, ['Events'], 'busy');
    await shows(page, 'events', '1001 2000 1000 true');
    await page.evaluate(() => document.getElementById('events')?.click());
    for (let i = 0; i < 3; i++) await append(server.log, 'busy', many(300));
    await shows(page, 'events', '501 2900 2400 true');
  });

  test('a double click starts one run; what failed is tried again under the same key', async () => {
    const server = await stage.serve();
    const { page } = await stage.visit(server.url);
    const keys: string[] = [];
    page.on('request', (it) => it.method() === 'POST' && keys.push(it.headers()['idempotency-key']!));
    await mount(page, ['Start']);
    await page.dblclick('#start');
    await page.waitForFunction(() => /^false [\w-]+ $/.test(document.getElementById('start')?.textContent ?? ''));
    const { runs } = (await (await fetch(`${server.url}/v1/runs`)).json()) as { runs: unknown[] };
    expect(runs).toHaveLength(1);
    expect(keys).toHaveLength(1);

    await page.evaluate(() => {
      window.page.unmount();
      // No patience between attempts.
      Math.random = () => 0;
    });
    await mount(page, ['Start']);
    await page.context().setOffline(true);
    await page.click('#start');
    await shows(page, 'start', 'false  unreachable');
    await page.context().setOffline(false);
    await page.click('#start');
    await page.waitForFunction(() => /^false [\w-]+ $/.test(document.getElementById('start')?.textContent ?? ''));
    expect(new Set(keys).size).toBe(2);
    expect(keys.length).toBeGreaterThan(2);
  });

  test('a thread shows its runs, and a list of runs changes as they do', async () => {
    const server = await stage.serve();
    await append(server.log, 'r', [START, END]);
    await append(server.log, 'r2', [START], 'r');
    const { page } = await stage.visit(server.url);
    await mount(page, ['Conversation']);
    await shows(page, 'thread', 'completed running');

    await mount(page, ['List']);
    await shows(page, 'list', 'r2');
    await append(server.log, 'r2', [END], 'r');
    await shows(page, 'list', '');
    await append(server.log, 'r3', [START]);
    await shows(page, 'list', 'r3');
  });
});
