import { createClient, Producer } from 'telltale/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, Stage } from '../../console.fixture.ts';

const EVENTS = 20_000;

describe.skipIf(!executablePath)('the events of a run', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  async function fill() {
    const { url } = await stage.serve(() => {});
    const client = createClient({ url });
    await client.start({ agent: 'before', mode: 'remote', threadId: 'talk' }, 'first');
    const { runId } = await client.start({ agent: 'writer', mode: 'remote', threadId: 'talk' }, 'second');
    const producer = new Producer(`${url}/v1/runs/${runId}/events`);
    const say = (i: number) => producer.send({ type: 'status.updated', data: { status: `number ${i}` } });
    for (let i = 1; i <= EVENTS; i++) await say(i);
    await producer.flush();
    return { url, client, runId, producer, say };
  }

  test('all of them, however many: jumped to, followed live, filtered and looked at', async () => {
    const { url, client, runId, producer, say } = await fill();
    const { page, problems } = await stage.visit(`${url}/runs/${runId}?view=frames`);
    const last = page.locator('.frame').last();
    await page.getByText(`"number ${EVENTS}"`).waitFor();
    expect(await page.locator('.frame').count()).toBeLessThan(100);

    for (let i = 1; i <= 50; i++) await say(EVENTS + i);
    await producer.flush();
    await page.getByText(`"number ${EVENTS + 50}"`).waitFor();
    expect(await last.textContent()).toContain(`number ${EVENTS + 50}`);

    // The first number of this run is 2, of its first status 3.
    await page.getByLabel('Go to the event with this number').fill('10002');
    await page.keyboard.press('Enter');
    await page.getByRole('listitem').getByText('"number 10000"').waitFor();
    expect(new URL(page.url()).searchParams.get('event')).toBe('10002');
    await page.getByRole('heading', { name: 'Event 10002' }).waitFor();

    await say(EVENTS + 51);
    await producer.flush();
    await page.getByRole('button', { name: /^1 new/ }).click();
    await page.getByText(`"number ${EVENTS + 51}"`).waitFor();

    await page.getByLabel('Find in the events').fill('number 777');
    await page.getByText('11 found', { exact: true }).waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.frame-data').length === 11);
    const numbers = await page.locator('.frame-data').allTextContents();
    expect(numbers.map((it) => JSON.parse(it).status)).toEqual(
      ['777', ...Array.from({ length: 10 }, (_, i) => `777${i}`)].map((it) => `number ${it}`),
    );
    await page.getByLabel('Kind of events').selectOption('tool');
    await page.getByText('No event of this run is like that.').waitFor();

    await page.keyboard.press('Escape');
    await client.cancel(runId);
    await producer.close();
    expect(problems).toEqual([]);
  });
});
