import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { build, type Rolldown } from 'vite';
import type { page } from './page.tsx';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

export const hasChromium = CHROMIUM !== undefined;

declare global {
  interface Window {
    page: typeof page;
  }
}

/** `undefined` where there is no Chromium here. */
export const launchBrowser = (): Promise<Browser> | undefined =>
  CHROMIUM === undefined ? undefined : chromium.launch({ executablePath: CHROMIUM, args: ARGS });

/** Chromium with the measured page in it, as Vite builds it for production from the built package. */
export class Chromium {
  readonly version: string;
  readonly #browser: Browser;
  readonly #script: string;

  constructor(browser: Browser, script: string) {
    this.#browser = browser;
    this.#script = script;
    this.version = browser.version();
  }

  /** `undefined` where there is no Chromium here. */
  static async launch(): Promise<Chromium | undefined> {
    if (!hasChromium) return undefined;
    const script = await bundle();
    return new Chromium((await launchBrowser())!, script);
  }

  /** Gives `use` a page of the server's own origin, in a profile and a process of its own. */
  async visit<T>(url: string, use: (page: Page) => Promise<T>): Promise<T> {
    const context = await this.#browser.newContext();
    try {
      const page = await context.newPage();
      await page.goto(`${url}/healthz`);
      await page.addScriptTag({ content: this.#script, type: 'module' });
      await page.waitForFunction(() => window.page);
      return await use(page);
    } finally {
      await context.close();
    }
  }

  close(): Promise<void> {
    return this.#browser.close();
  }
}

/** Bytes of JavaScript values that the page holds, when everything else was collected. */
export async function heapBytes(page: Page): Promise<number> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('HeapProfiler.enable');
  await devtools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await devtools.send('Runtime.getHeapUsage');
  await devtools.detach();
  return usedSize;
}

async function bundle(): Promise<string> {
  const entry = join(import.meta.dirname, 'entry.ts');
  const built = (await build({
    configFile: false,
    root: join(import.meta.dirname, '..'),
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2023',
      // In one script: what a page loads only where it is needed would have nowhere to come from.
      rolldownOptions: { input: entry, output: { codeSplitting: false } },
    },
  })) as Rolldown.RolldownOutput;
  return built.output.flatMap((it) => (it.type === 'chunk' ? [it.code] : [])).join('\n');
}
