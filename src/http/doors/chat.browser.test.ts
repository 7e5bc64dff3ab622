/** What only a browser can say of the chat door: its cookies, and the headers that it sends by itself. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, WHOLE } from '../../client/bundle.fixture.ts';
import { type Telltale, telltale } from '../../index.ts';
import { executablePath, openChromium } from '../chromium.fixture.ts';

let app: Telltale;
let url: string;
let browser: Browser | undefined;
const asked: unknown[] = [];

beforeAll(async () => {
  app = telltale({ store: 'memory:' });
  let letGo = (): void => {};
  const together = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  app.agent('health', async function* (_run, input) {
    asked.push(input);
    if (input === 'fail') throw new Error('The lab is closed');
    yield 'Your LDL ';
    if (input === 'go on') letGo();
    if (input === 'wait') await together;
    yield 'is high.';
  });
  ({ url } = await app.listen(0));
  if (executablePath) browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  await app.close();
});

test('a page that lost its answer asks again and finds its run; what is no question starts none', async (context) => {
  if (!browser) return context.skip('chromium is not installed');
  const page = await browser.newPage();
  await page.goto(`${url}/healthz`);
  const texts = await page.evaluate(async () => {
    const address = (message: string) => `/api/chat/stream?message=${encodeURIComponent(message)}`;
    /** The answer, as far as it is told; `first`: until something of it is there. */
    const ask = (message: string, first = false) =>
      new Promise<string>((resolve) => {
        const source = new EventSource(address(message));
        let text = '';
        const end = () => {
          source.close();
          resolve(text);
        };
        source.addEventListener('message', ({ data }) => {
          text += JSON.parse(data).content;
          if (first) end();
        });
        source.addEventListener('done', end);
      });
    const before = await ask('wait', true);
    const image = new Image();
    await new Promise((resolve) => {
      image.onerror = resolve;
      image.src = address('an image');
    });
    const again = ask('wait');
    const other = await ask('go on');
    return [before, await again, other, document.cookie];
  });
  // Scripts cannot read the cookie.
  expect(texts).toEqual(['Your LDL ', 'Your LDL is high.', 'Your LDL is high.', '']);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ name: 'telltale-chat', httpOnly: true, sameSite: 'Strict', expires: -1 });
  // Opened as a page, and from one of another origin.
  expect((await page.goto(`${url}/api/chat/stream?message=a+page`))?.status()).toBe(406);
  const elsewhere = await app.listen(0);
  await page.goto(`${elsewhere.url}/healthz`);
  const state = await page.evaluate((at) => {
    const source = new EventSource(`${at}/api/chat/stream?message=elsewhere`);
    return new Promise((resolve) => source.addEventListener('error', () => resolve(source.readyState)));
  }, url);
  expect(state).toBe(2);
  expect(asked.toSorted()).toEqual(['go on', 'wait']);
}, 30_000);

test('SSEService in a page tells what it received, what failed, and that it is complete', async (context) => {
  if (!browser) return context.skip('chromium is not installed');
  const source = `import { SSEService } from 'telltale/client/chat'; Object.assign(globalThis, { SSEService });`;
  const [{ code }, page] = await Promise.all([bundle(source, WHOLE), browser.newPage()]);
  await page.goto(`${url}/healthz`);
  await page.evaluate(code);
  const calls = await page.evaluate(async () => {
    const { SSEService } = globalThis as unknown as typeof import('../../client/chat/index.ts');
    const service = new SSEService();
    const heard: unknown[] = [];
    for (const message of ['in a page', 'fail']) {
      await new Promise<void>((resolve) => {
        service.connect(message, {
          onMessage: (data) => heard.push(data.type === 'text' && data.content),
          onError: (error) => resolve(void heard.push(error)),
          onComplete: () => resolve(void heard.push('complete')),
        });
      });
    }
    return heard;
  });
  expect([calls.slice(0, -2).join(''), ...calls.slice(-2)]).toEqual([
    'Your LDL is high.',
    'complete',
    'The lab is closed',
  ]);
}, 30_000);
