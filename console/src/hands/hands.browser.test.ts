import { SignJWT } from 'jose';
import type { Page } from 'playwright-core';
import { type AgentFunction, makeKey, type Telltale } from 'telltale';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../console.fixture.ts';

const SECRET = 'a secret of the test that is long enough for HS256';
const ann = makeKey({ userId: 'ann', scopes: ['read', 'start', 'control'] });
const watcher = makeKey({ userId: 'ann', scopes: ['read'] });
const bob = makeKey({ userId: 'bob', scopes: ['read', 'control'] });
const token = (issuedAt: number): Promise<string> =>
  new SignJWT({ scope: 'read control' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .setIssuer('test')
    .setAudience('telltale')
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + 3_600)
    .sign(new TextEncoder().encode(SECRET));
const AS_ANN = { headers: { authorization: `Bearer ${ann.key}`, 'content-type': 'application/json' } };
const seconds = (): number => Math.floor(Date.now() / 1_000);

/** Does what it is told to, until it is told to end. */
const worker: AgentFunction = async (run) => {
  for await (const { input } of run.inputs()) {
    if (input === 'end') return;
    if (input === 'ask') await run.approve({ prompt: 'Refund 240 to account 7731?', expiresIn: 600_000 });
    else await run.say(`Heard: ${JSON.stringify(input)}`);
  }
};
const spender: AgentFunction = async (run) => {
  for (const name of ['first', 'second']) await run.tool(name, {}, () => 'done');
};

describe.skipIf(!executablePath)('hands of people on a run', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  const serve = (): Promise<{ app: Telltale; url: string }> =>
    stage.serve(
      (it) => {
        it.agent('worker', worker, { concurrency: 1 });
        it.agent('spender', spender, { budget: { maxToolCalls: 1, onExceeded: 'ask' } });
      },
      {
        auth: {
          apiKeys: [ann.entry, watcher.entry, bob.entry],
          jwt: { secret: SECRET, issuer: 'test', audience: 'telltale', algorithms: ['HS256'] },
        },
      },
    );
  const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
  const signIn = async (page: Page, key: string, name = 'Sign in'): Promise<void> => {
    await page.getByLabel('API key or token').fill(key);
    await page.locator('.sign-in-form').getByRole('button', { name }).click();
  };
  const enter = async (url: string, key: string, looks = {}): Promise<Page> => {
    const { page } = await stage.visit(url, looks);
    await signIn(page, key);
    return page;
  };

  test('a key is tried before it is kept, in this tab alone; what is somebody else’s is not there; signed out, nothing stays', async () => {
    const { app, url } = await serve();
    await app.start({ agent: 'worker', runId: 'mine', owner: 'ann', input: 'What is mine' });
    const { page, problems } = await stage.visit(`${url}/runs/mine`);
    await signIn(page, 'tt_nothing');
    await page.getByRole('alert').getByText('The server does not accept it').waitFor();
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    await signIn(page, ann.key);
    await page.getByRole('heading', { level: 1, name: 'What is mine' }).waitFor();
    await page.locator('.account').getByText('ann').waitFor();
    const kept = await page.evaluate(() => [JSON.stringify(localStorage), location.href, document.title].join());
    expect(kept).not.toContain(ann.key);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'What is mine' }).waitFor();

    await button(page, 'Sign out').click();
    await page.getByText('shows runs to those with an API key').waitFor();
    expect(await page.getByText('What is mine').count()).toBe(0);
    for (const path of ['', 'chat/talk']) {
      await page.goto(`${url}/${path}`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    }
    await page.goto(`${url}/runs/mine`);
    await signIn(page, bob.key);
    await page.getByRole('heading', { name: 'There is no such run here' }).waitFor();
    expect(problems).toEqual([]);
  });

  test('two tabs have one question: the first answer counts, the other is told, and the card stays', async () => {
    const { app, url } = await serve();
    await app.start({ agent: 'worker', runId: 'asks', owner: 'ann' });
    const [one, two] = [await enter(`${url}/runs/asks`, ann.key), await enter(`${url}/runs/asks`, ann.key)];
    const box = one.getByRole('textbox', { name: /^Say something/ });
    await box.fill('{"not": json');
    await box.press('Enter');
    await one.getByText('The input begins as JSON, and is none').waitFor();
    await box.fill('ask');
    await box.press('Enter');
    await one.getByText(/^In the log \(event \d+\)\. The agent reads it when it asks/).waitFor();
    expect(await box.inputValue()).toBe('');
    for (const page of [one, two]) await page.getByRole('heading', { name: 'Waits for you' }).waitFor();
    await two.getByText('1 input in the log').click();
    await two.locator('.said').getByText('ann').waitFor();
    await two
      .getByText(/ left to answer/)
      .first()
      .waitFor();

    // A key leads to the question, and answers nothing.
    await one.keyboard.press('Escape');
    await one.evaluate(() => (document.activeElement as HTMLElement).blur());
    await one.keyboard.press('a');
    await one.waitForFunction(() => (document.activeElement as HTMLElement).dataset.slot === 'approval');
    const release = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    await two.route('**/approvals/**', async (route) => {
      held.resolve();
      await release.promise;
      await route.continue();
    });
    const waiting = (page: Page) => page.locator('.waiting');
    const press = async (page: Page, name: string): Promise<void> => {
      await waiting(page).getByRole('button', { name, exact: true }).click();
    };
    await expect
      .poll(async () => {
        // What is pressed in the first half second after it appeared is not taken.
        await press(two, 'Deny');
        return waiting(two).getByText('Sending the answer').count();
      })
      .toBe(1);
    await held.promise;
    await waiting(one).getByRole('textbox', { name: 'Comment' }).fill('Only this one.');
    await press(one, 'Approve');
    for (const page of [one, two]) await waiting(page).getByText('Answered by ann: Approve').waitFor();
    release.resolve();
    await waiting(two)
      .getByText(/This answer does not count: .*The first answer counts/)
      .waitFor();
    await waiting(two).getByText('Only this one.').waitFor();
    await two.getByRole('button', { name: 'Put the answered one away' }).click();
    expect(await waiting(two).count()).toBe(0);
  });

  test('pause, resume and cancel tell by whom and since when in every tab, and a watcher is told that he cannot', async () => {
    const { app, url } = await serve();
    const { finished } = await app.start({ agent: 'worker', runId: 'works', owner: 'ann' });
    await app.start({ agent: 'worker', runId: 'next', owner: 'ann' });
    await app.start({ agent: 'worker', runId: 'later', owner: 'ann' });
    const [one, two] = [await enter(`${url}/runs/works`, ann.key), await enter(`${url}/runs/works`, watcher.key)];
    const told = (page: Page) => page.locator('.run-commands-told');
    await button(two, 'Pause').click();
    await two.getByText('You may watch this run, and not pause, resume or cancel it').waitFor();
    await button(one, 'Pause').click();
    for (const page of [one, two]) {
      await told(page)
        .getByText(/Paused by ann\. asked [\d:]+ \(event \d+\) · took effect [\d:]+ \(event \d+\)/)
        .waitFor();
    }
    await button(one, 'Resume').click();
    await told(two).getByText('Resumed by ann.').waitFor();
    await button(one, 'Cancel').click();
    await one.getByRole('textbox', { name: 'Reason' }).fill('It is Friday.');
    await button(one, 'Cancel the run').click();
    for (const page of [one, two]) await told(page).getByText('It is Friday.').waitFor();
    expect(await finished()).toMatchObject({ status: 'cancelled' });
    const { commands } = await finished();
    await told(one)
      .getByRole('link', { name: `event ${commands.at(-1)?.endSeq}` })
      .click();
    await one.waitForURL(`**/runs/works?event=${commands.at(-1)?.endSeq}`);

    await one.goto(`${url}/runs/later`);
    const queue = one.getByRole('region', { name: 'Waits for its turn' });
    await queue.getByText('It is next').waitFor();
    await button(one, 'Cancel').click();
    await button(one, 'Cancel the run').click();
    await one.locator('.run-sentence').getByText('Cancelled by ann.').waitFor();
    expect(await queue.count()).toBe(0);
  });

  test('what a budget asks is a question like any other; a run without one says so', async () => {
    const { app, url } = await serve();
    const { finished } = await app.start({ agent: 'spender', runId: 'spends', owner: 'ann' });
    const page = await enter(`${url}/runs/spends`, ann.key, { width: 390, height: 844 });
    await page.getByRole('heading', { name: 'Waits for you' }).waitFor();
    await button(page, 'Plan').click();
    await page.getByText('Tool calls: 1 of 1 · used up, waiting for a decision').waitFor();
    await button(page, 'Timeline').click();
    await expect
      .poll(async () => {
        const approve = page.locator('.waiting').getByRole('button', { name: 'Approve', exact: true });
        if (await approve.count()) await approve.click();
        return page.getByText('Answered by ann: Approve').count();
      })
      .toBeGreaterThan(0);
    expect(await finished()).toMatchObject({ status: 'completed' });
    await app.start({ agent: 'worker', runId: 'free', owner: 'ann' });
    await page.goto(`${url}/runs/free`);
    await button(page, 'Plan').click();
    await page.getByText('No budget: nothing limits what this run uses.').waitFor();
  });

  test('access taken back while one watches: what was shown stays, and with a newer token it goes on where it was', async () => {
    const { app, url } = await serve();
    await app.start({ agent: 'worker', runId: 'watched', owner: 'ann' });
    const page = await enter(`${url}/runs/watched`, await token(seconds() - 60));
    const say = async (text: string): Promise<void> => {
      const box = page.getByRole('textbox', { name: /^Say something/ });
      await box.fill(text);
      await box.press('Enter');
      await page.locator('.answer').getByText(`Heard: "${text}"`).waitFor();
    };
    await say('before');
    app.revoke('ann');
    await page.getByRole('alert').getByText('Your access was taken back. What is shown stays').waitFor();
    await page.locator('.answer').getByText('Heard: "before"').waitFor();
    // What it does now is not known here, and not said.
    await page.locator('.run-sentence').getByText('was running').waitFor();
    await page.locator('.replay-edge').getByText('Newest', { exact: true }).waitFor();
    await button(page, 'Sign in again').click();
    const asked: string[] = [];
    page.on('request', (it) => it.url().includes('/stream') && asked.push(it.headers()['last-event-id'] ?? it.url()));
    await signIn(page, await token(seconds() + 2));
    await page.locator('.run-sentence').getByText(/^Live/).waitFor();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatch(/\.\d+$/);
    await say('after');
    await page.locator('.access-lost').waitFor({ state: 'detached' });
  });

  test('whoever looks elsewhere is told that it asks and that it ends, once he wants to be', async () => {
    const { app, url } = await serve();
    await app.start({ agent: 'worker', runId: 'tells', owner: 'ann' });
    const page = await enter(`${url}/runs/tells`, ann.key);
    await page.evaluate(() => {
      const told: string[] = [];
      const shown = class {
        static requestPermission = async (): Promise<string> => 'granted';
        constructor(title: string, { body = '' } = {}) {
          told.push(`${title}: ${body}`);
        }
      };
      Object.assign(window, { Notification: shown, told });
    });
    const told = () => page.evaluate(() => (window as unknown as { told: readonly string[] }).told);
    const say = async (text: string): Promise<void> => {
      const box = page.getByRole('textbox', { name: /^Say something/ });
      await box.fill(text);
      await box.press('Enter');
    };
    await button(page, 'Tell me when it ends or asks').click();
    await button(page, '✓ You will be told when it ends or asks').waitFor();
    await say('ask');
    await page.getByRole('heading', { name: 'Waits for you' }).waitFor();
    // Who sees the page needs no notice.
    expect(await told()).toEqual([]);
    await page.evaluate(() => Object.defineProperty(document, 'visibilityState', { value: 'hidden' }));
    for (const { id } of (await (await fetch(`${url}/v1/runs/tells`, AS_ANN)).json()).approvals) {
      const answer = { method: 'POST', body: '{"decision":"deny"}', ...AS_ANN };
      await fetch(`${url}/v1/runs/tells/approvals/${id}`, answer);
    }
    await say('ask');
    await expect.poll(told).toEqual(['worker asks: Refund 240 to account 7731?']);
    await button(page, 'Cancel').click();
    await button(page, 'Cancel the run').click();
    await expect.poll(told).toHaveLength(2);
    expect((await told())[1]).toBe('worker: cancelled: ');
  });
});
