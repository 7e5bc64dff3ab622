/** The example as it is built, in a browser, against a real server and agent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, preview } from 'vite';
import { expect, test } from 'vitest';
import { executablePath, openChromium } from '../../src/http/chromium.fixture.ts';
import { telltale } from '../../src/index.ts';

test.skipIf(!executablePath)(
  'a question, asked in the page, is answered in front of the reader',
  async () => {
    const outDir = await mkdtemp(join(tmpdir(), 'telltale-react-minimal-'));
    const app = telltale({ store: 'memory:' });
    const asked = Promise.withResolvers<void>();
    app.agent('analyst', async (run, question) => {
      await run.think(`Somebody asks: ${String(question)}`);
      await run.agent('counter', () => run.tool('count_files', { folder: '.' }, () => 42));
      await asked.promise;
      await run.say('Forty-two files.');
    });
    const { url } = await app.listen(0);
    const root = import.meta.dirname;
    const shared = { root, configFile: false as const, logLevel: 'error' as const };
    await build({ ...shared, mode: 'production', resolve: { conditions: ['telltale-source'] }, build: { outDir } });
    const site = await preview({
      ...shared,
      build: { outDir },
      preview: { port: 0, host: '127.0.0.1', proxy: { '/v1': { target: url, changeOrigin: false } } },
    });
    const browser = await openChromium();
    try {
      const page = await browser.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(site.resolvedUrls?.local[0] as string);
      await page.click('text=Ask');
      await page.waitForSelector('text=count_files');
      await page.waitForSelector('text=/^running · live · \\d+ events$/');
      asked.resolve();
      await page.waitForSelector('text=Forty-two files.');
      await page.waitForSelector('text=completed · closed');
      expect(await page.locator('li > button').allTextContents()).toEqual([
        'thinking',
        'counter',
        'count_files',
        'message',
      ]);
      // Folded when it was over; the reader opens it.
      expect(await page.isVisible('text=Somebody asks')).toBe(false);
      await page.click('li button >> text=thinking');
      await page.waitForSelector('text=Somebody asks: What are the risks in this project?');
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      await site.close();
      await app.close();
      await rm(outDir, { recursive: true, force: true });
    }
  },
  60_000,
);
