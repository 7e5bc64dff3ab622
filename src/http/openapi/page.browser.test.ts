/** GET /docs in a real browser, by its own content security policy. */
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from '../chromium.fixture.ts';
import { type DocumentedServer, documentedServer } from './documented.fixture.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Everything axe knows but for what no page can pass or fail without people. */
declare const axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };

describe.skipIf(!executablePath)('the page of the routes', () => {
  let server: DocumentedServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await documentedServer();
    browser = await openChromium();
  });

  afterAll(async () => {
    await browser.close();
    await server.app.close();
  });

  /** The page as somebody sees it, with all that it asked for and all that it complained about. */
  async function open(options: Parameters<Browser['newPage']>[0] = {}, hash = '') {
    const page = await browser.newPage(options);
    const asked: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(`${server.url}/docs${hash}`);
    return { page, asked, complaints };
  }

  const wide = { viewport: { width: 1280, height: 900 } };
  const phone = { viewport: { width: 390, height: 844 } };

  test.each([
    ['light', wide],
    ['dark', phone],
  ] as const)(
    'has nothing that axe finds wrong, %s, %o',
    async (colorScheme, size) => {
      // Only the test brings a script in; the page has none.
      const { page } = await open({ ...size, colorScheme, bypassCSP: true });
      await page.locator('details').evaluateAll((all) => {
        for (const it of all) it.setAttribute('open', '');
      });
      await page.addScriptTag({ path: AXE });
      const { violations } = await page.evaluate(() => axe.run());
      expect(violations.map(({ id, nodes }) => [id, nodes[0]!.html])).toEqual([]);
      await page.close();
      // axe looks at every text of a page that grows with every route, and other suites share the machine.
    },
    90_000,
  );

  test('loads nothing else, and works without a script', async () => {
    const { page, asked, complaints } = await open({ ...wide, javaScriptEnabled: false });
    await page.screenshot();
    const favicon = `${server.url}/favicon.ico`;
    expect([asked.filter((url) => url !== favicon), complaints]).toEqual([[`${server.url}/docs`], []]);
    await page.close();
  });

  test('is styled under its policy, which lets no other style or script in', async () => {
    const { page, complaints } = await open(wide);
    expect(await columns(page)).toBe(2);
    expect(complaints.filter((it) => !it.includes('favicon'))).toEqual([]);
    const got = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'document.title = "changed"';
      const style = document.createElement('style');
      style.textContent = 'body { display: none !important; }';
      document.head.append(script, style);
      return [document.title, getComputedStyle(document.body).display];
    });
    expect(got).toEqual([expect.stringContaining('Telltale'), 'grid']);
    await page.close();
  });

  test('needs no scrolling sideways on a phone', async () => {
    const { page } = await open(phone);
    expect(await columns(page)).toBe(1);
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    expect(content).toBe(window);
    await page.close();
  });

  test('is used with keys alone: over the list to a route, and on to a schema that it names', async () => {
    const { page } = await open(wide);
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the routes');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    const schema = (await page.locator(':focus').getAttribute('href'))!;
    expect(schema).toMatch(/^#schema-/);
    await page.keyboard.press('Enter');
    expect(await page.locator(schema.replaceAll('.', '\\.')).boundingBox()).toMatchObject({
      y: expect.toSatisfy((y) => y < 900),
    });
    await page.close();
  });

  test('every link leads somewhere, and a click takes a whole command', async () => {
    const { page } = await open(wide);
    const dead = await page.evaluate(() =>
      [...document.querySelectorAll('a[href^="#"]')]
        .map((link) => link.getAttribute('href')!.slice(1))
        .filter((id) => !document.getElementById(id)),
    );
    expect(dead).toEqual([]);
    await page.locator('.command').first().click();
    expect(await page.evaluate(() => String(getSelection()))).toMatch(/^curl '.*}'$/);
    await page.close();
  });
});

const columns = (page: Page): Promise<number> =>
  page.evaluate(() => {
    const { display, gridTemplateColumns } = getComputedStyle(document.body);
    return display === 'grid' ? gridTemplateColumns.split(' ').length : 1;
  });

test('text from the document can be no markup', async () => {
  const { docsPage } = await import('./page.ts');
  const { buildDocument } = await import('./build.ts');
  const evil = '<script>alert(1)</script>"\'><img src=x>';
  const document = buildDocument({
    'GET /<b>{runId}': {
      id: evil,
      group: 'Runs',
      needs: 'nothing',
      summary: evil,
      description: `${evil} \`${evil}\``,
      answers: { 200: { description: evil, html: true, headers: { [evil]: evil }, example: evil } },
      refuses: [],
      examples: [{ path: { runId: evil }, headers: { [evil]: evil }, query: { [evil]: evil }, body: { evil } }],
    },
  });
  const page = String(await docsPage(document, `http://${evil}`));
  expect(page).not.toMatch(/<(?:script|img|b)\b/);
  expect(page).not.toMatch(/(?:id|href)="[^"]*["'][^\s>]/);
});
