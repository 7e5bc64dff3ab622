/** How a run, a conversation and the list say how they stand: a shape, words, a colour, and what is said aloud of it. */
import type { Page } from 'playwright-core';
import { createClient, Producer } from 'telltale/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';
import { Line } from './line.fixture.ts';
import { hears, listen, told } from './told.fixture.ts';

const LINES = {
  run: '.run-sentence [data-slot=connection-status]',
  chat: '.chat-connection',
  runs: '.list-connection',
} as const;
type Screen = keyof typeof LINES;
/** More than is said at once, in milliseconds: one message in five seconds. */
const PACE = 5_100;

describe.skipIf(!executablePath)('what is said of how things stand', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  /** A page whose clock the test moves: silence of five seconds takes none. */
  async function open(url: string) {
    const { page, problems } = await stage.visit('about:blank');
    page.setDefaultTimeout(10_000);
    await listen(page);
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1_000);
    await page.goto(url);
    return { page, problems };
  }

  /** The line as it is drawn; the colour by the name of its token. */
  const drawn = (page: Page, screen: Screen) =>
    page.locator(LINES[screen]).evaluate((line) => {
      const glyph = line.querySelector('[data-slot=glyph]');
      const probe = document.body.appendChild(document.createElement('i'));
      const colour = ['muted', 'running', 'ok', 'error', 'warn', 'paused'].find((name) => {
        probe.style.color = `var(--tt-${name})`;
        return glyph && getComputedStyle(probe).color === getComputedStyle(glyph).color;
      });
      probe.remove();
      return `${glyph?.textContent} ${colour}`;
    });
  const says = (page: Page, screen: Screen, words: string | RegExp) =>
    page.locator(LINES[screen]).filter({ hasText: words }).waitFor();

  /** What was said so far, each once, and never faster than people listen. */
  async function heardOf(page: Page): Promise<string[]> {
    const all = await told(page);
    for (const [i, { at }] of all.entries()) {
      const before = all[i - 1];
      if (before) expect(at - before.at, JSON.stringify(all)).toBeGreaterThanOrEqual(4_900);
    }
    return all.map(({ how, text }) => `${how}: ${text}`);
  }

  async function longRun() {
    const { url } = await stage.serve(() => {});
    const line = await Line.open(() => url);
    stage.later(() => line.close());
    const { runId } = await createClient({ url }).start({ agent: 'writer', mode: 'remote', threadId: 'talk' });
    const producer = new Producer(`${url}/v1/runs/${runId}/events`);
    for (let i = 0; i < 1_500; i++) {
      await producer.send({ type: 'status.updated', data: { status: `secret${i} ${'x'.repeat(200)}` } });
    }
    await producer.close();
    return { url, line, runId };
  }

  test.each([['run'], ['chat']] as const)(
    'a %s is connecting, catches up, is live, is lost and comes back',
    async (screen) => {
      const { line, runId } = await longRun();
      line.let(0);
      const { page, problems } = await open(`${line.url}${screen === 'run' ? `/runs/${runId}` : '/chat/talk'}`);
      const shown = page.locator(LINES[screen]);
      await shown.waitFor();
      await page.clock.runFor(350);
      expect(await shown.textContent()).not.toContain('Connecting');
      await page.clock.runFor(150);
      await says(page, screen, 'Connecting…');
      expect(await drawn(page, screen)).toBe('○ muted');

      await page.clock.resume();
      line.let(120_000);
      await says(page, screen, /Catching up · [\d,]+ of 1,501/);
      expect(await drawn(page, screen)).toBe('◔ running');
      const bar = shown.getByRole('progressbar');
      const share = await bar.evaluate((it: HTMLProgressElement) =>
        it.value === undefined ? Number(it.ariaValueNow) / Number(it.ariaValueMax) : it.value / it.max,
      );
      expect(share).toBeGreaterThan(0);
      expect(share).toBeLessThan(1);
      expect(await told(page)).toEqual([]);
      await page.clock.fastForward(2_000);
      if (screen === 'run') await hears(page, 'polite', 'Catching up');

      line.let(Number.POSITIVE_INFINITY);
      await says(page, screen, /Live · 1,501 events · last \d+ s ago/);
      expect(await drawn(page, screen)).toBe('● running');
      await page.clock.fastForward(PACE);
      if (screen === 'run') await hears(page, 'polite', 'Live');

      line.cut();
      await says(page, screen, /Connection lost \d+ s ago\. The run continues\. Retrying (now|in \d+ s)\./);
      expect(await drawn(page, screen)).toBe('◌ warn');
      await page.clock.fastForward(PACE);
      await hears(page, 'polite', 'Connection lost. The run continues.');
      expect(await page.locator('main').textContent()).toContain('writer');

      // The next attempt is far off: who does not want to wait asks for it.
      await page.evaluate(() => {
        Math.random = () => 0.999;
      });
      await page.clock.fastForward(PACE);
      await says(page, screen, /Retrying in ([3-9]|\d\d) s/);
      line.mend();
      await shown.getByRole('button', { name: 'Retry now' }).click();
      await says(page, screen, /Live · 1,501 events/);
      await page.clock.fastForward(PACE);
      if (screen === 'run') {
        await expect.poll(async () => (await told(page)).length).toBe(4);
        expect(await heardOf(page)).toEqual([
          expect.stringMatching(/^polite: Catching up · [\d,]+ of 1,501$/),
          'polite: Live',
          'polite: Connection lost. The run continues. Retrying now.',
          'polite: Live',
        ]);
      }
      expect(JSON.stringify(await told(page))).not.toContain('secret');
      expect(problems).toEqual([]);
    },
  );

  test('a run that waits, asks, ends, fails or is cancelled says so in its own words, aloud too', async () => {
    const { app, url } = await stage.serve((app) => {
      app.agent('actor', async (run) => {
        for await (const { input } of run.inputs()) {
          if (input === 'ask') await run.approve({ prompt: 'Refund 240?' });
          if (input === 'fail') throw new Error('the order is gone');
          if (input === 'end') return;
        }
      });
    });
    const by = { by: 'dana' };
    const client = createClient({ url });
    const { page, problems } = await open(url);
    await page.clock.resume();
    const cases: [
      name: string,
      act: (runId: string) => Promise<unknown>,
      glyph: string,
      words: RegExp,
      said: string,
    ][] = [
      ['ask', (id) => client.run(id).input('ask'), '● running', /^. Live/, 'assertive: Approval needed: Refund 240?'],
      [
        'pause',
        (id) => client.run(id).pause(by),
        '‖ paused',
        /Paused by dana\. Waiting for a decision\./,
        'polite: Paused by',
      ],
      ['end', (id) => client.run(id).input('end'), '✓ ok', /Finished in .* · \d+ events/, 'polite: Finished in'],
      [
        'fail',
        (id) => client.run(id).input('fail'),
        '✕ error',
        /Failed: the order is gone/,
        'assertive: Failed: the order',
      ],
      ['cancel', (id) => client.run(id).cancel(by), '■ muted', /Cancelled by dana\./, 'polite: Cancelled by dana.'],
    ];
    for (const [runId, act, glyph, words, said] of cases) {
      await app.start({ agent: 'actor', runId });
      await page.goto(`${url}/runs/${runId}`);
      await says(page, 'run', /Live · \d+ events?/);
      await page.clock.fastForward(PACE);
      await hears(page, 'polite', 'Live');
      await act(runId);
      if (runId === 'ask') await page.getByRole('button', { name: 'A question waits for you' }).waitFor();
      await says(page, 'run', words);
      expect(await drawn(page, 'run'), runId).toBe(glyph);
      await page.clock.fastForward(PACE);
      await expect
        .poll(() => heardOf(page), { message: runId })
        .toEqual(['polite: Live', expect.stringContaining(said)]);
    }
    expect(problems).toEqual([]);
  });

  test('the list says when it is live, when it is lost, and when there is nobody to answer', async () => {
    const { app, url } = await stage.serve((app) => app.agent('greeter', (run) => run.say('Hello')));
    await app.start({ agent: 'greeter', runId: 'hello' });
    const line = await Line.open(() => url);
    stage.later(() => line.close());
    line.let(0);
    const { page, problems } = await open(line.url);
    const shown = page.locator(LINES.runs);
    await shown.waitFor();
    await page.clock.runFor(350);
    expect(await shown.textContent()).not.toContain('Connecting');
    await page.clock.runFor(150);
    await says(page, 'runs', 'Connecting…');
    await page.clock.resume();
    line.let(Number.POSITIVE_INFINITY);
    await says(page, 'runs', 'Live list');
    expect(await drawn(page, 'runs')).toBe('● running');
    await page.clock.fastForward(PACE);
    line.cut();
    await says(page, 'runs', /Connection lost\./);
    expect(await drawn(page, 'runs')).toBe('◌ warn');
    expect(await page.getByRole('row', { name: /hello/ }).count()).toBe(1);
    await page.evaluate(() => {
      Math.random = () => 0.999;
    });
    await page.clock.fastForward(PACE);
    await says(page, 'runs', /Retrying in ([3-9]|\d\d) s/);
    line.mend();
    await shown.getByRole('button', { name: 'Retry now' }).click();
    await says(page, 'runs', 'Live list');
    const all = (await told(page)).map(({ how, text }) => `${how}: ${text}`);
    expect(all).toEqual(['polite: Live list', 'polite: Connection lost.', 'polite: Live list']);
    expect(problems).toEqual([]);
  });

  test('a log that was exchanged is read again: what was void is gone, and the page says so', async () => {
    const first = await stage.serve((app) => app.agent('echo', (run) => run.say('what was')));
    let target = first.url;
    const line = await Line.open(() => target);
    stage.later(() => line.close());
    const write = async (url: string, texts: readonly string[]) => {
      await fetch(`${url}/v1/runs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ agent: 'writer', mode: 'remote', runId: 'r1', threadId: 'talk' }),
      });
      const producer = new Producer(`${url}/v1/runs/r1/events`);
      for (const text of texts)
        await producer.send({ type: 'activity.reported', data: { action: text, status: 'done' } });
      await producer.close();
    };
    await write(first.url, ['before', 'what was']);
    const [run, chat] = [await open(`${line.url}/runs/r1`), await open(`${line.url}/chat/talk`)];
    for (const [screen, { page }] of [
      ['run', run],
      ['chat', chat],
    ] as const) {
      await page.clock.resume();
      await says(page, screen, /Live · 3 events/);
    }
    await run.page.getByText('what was').first().waitFor();

    line.cut();
    const second = await stage.serve(() => {});
    await write(second.url, ['what is', 'and more', 'and more']);
    target = second.url;
    line.mend();
    for (const [screen, { page }] of [
      ['run', run],
      ['chat', chat],
    ] as const) {
      await page.clock.fastForward(PACE);
      await says(page, screen, /Live · 4 events/);
      await page.getByText('read again from its beginning, 1 time').waitFor();
    }
    await run.page.getByText('what is').first().waitFor();
    expect(await run.page.getByText('what was').count()).toBe(0);
    expect([run.problems, chat.problems]).toEqual([[], []]);
  });
});
