/** The console in a browser, on a real server, for the tests of its screens. */
import type { Browser, Page } from 'playwright-core';
import { type Telltale, type TelltaleOptions, telltale } from 'telltale';
// @ts-expect-error: plain JavaScript, for whatever Node started npm.
import { prepareConsole } from '../../scripts/prepare.mjs';
import { openChromium } from '../../src/http/chromium.fixture.ts';

export { executablePath } from '../../src/http/chromium.fixture.ts';

export interface Visit {
  readonly page: Page;
  /** What the page, React or the Content-Security-Policy found wrong, expected to be nothing. */
  readonly problems: string[];
}

export interface Looks {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** Servers and pages of one test file; `clear` after each test, `close` after all. */
export class Stage {
  readonly browser: Browser;
  readonly #closing: (() => unknown)[] = [];

  constructor(browser: Browser) {
    this.browser = browser;
  }

  static async open(): Promise<Stage> {
    await prepareConsole();
    return new Stage(await openChromium());
  }

  later(close: () => unknown): void {
    this.#closing.push(close);
  }

  /** A server in this process; in memory unless `options` name a store. */
  async serve(set: (app: Telltale) => void, options: TelltaleOptions = {}): Promise<{ app: Telltale; url: string }> {
    const app = telltale({ store: 'memory:', ...options });
    set(app);
    const { url } = await app.listen(0);
    this.later(() => app.close());
    return { app, url };
  }

  async visit(url: string, { width = 1280, height = 800, dark = false }: Looks = {}): Promise<Visit> {
    const page = await this.browser.newPage({ viewport: { width, height }, colorScheme: dark ? 'dark' : 'light' });
    this.later(() => page.close());
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    // What the server refuses is told by the browser itself; what the console has to say of it is in the page.
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load')) {
        problems.push(message.text());
      }
    });
    await page.goto(url);
    return { page, problems };
  }

  async clear(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  async close(): Promise<void> {
    await this.clear();
    await this.browser.close();
  }
}
