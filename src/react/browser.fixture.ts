/** A browser with the hooks in it, for the tests that need one. */
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { mergeConfig } from 'vite';
import { bundle, WHOLE } from '../client/bundle.fixture.ts';
import { openChromium } from '../http/chromium.fixture.ts';
import { type StreamServer, streamServer } from '../http/stream.fixture.ts';
import { custom, type Draft } from '../hub/drafts.fixture.ts';
import type { page as Driven, ShownName } from './page.fixture.tsx';

export { executablePath } from '../http/chromium.fixture.ts';

declare global {
  interface Window {
    page: typeof Driven;
    /** Timers and listeners that nobody has taken back. */
    pending: { timers: Set<unknown>; listeners: number };
    /** How many the page has painted. */
    framesPainted: number;
  }
}

/** Which React a page has: the installed one, or that of the workspace for it. */
const react18 = (name: string): string =>
  fileURLToPath(new URL(`../../examples/react-18/node_modules/${name}`, import.meta.url));
const REACTS = { 18: { react: react18('react'), 'react-dom': react18('react-dom') }, 19: {} };

export interface OpenPage {
  readonly page: Page;
  /** What it asked streams of. */
  readonly streams: string[];
  /** What the page or React found wrong, expected to be nothing. */
  readonly problems: string[];
}

/** Servers and pages of one test file; `clear` after each test. */
export class Stage {
  readonly #browser: Browser;
  readonly #script: string;
  readonly #closing: (() => unknown)[] = [];

  constructor(browser: Browser, script: string) {
    this.#browser = browser;
    this.#script = script;
  }

  /** @param fixture the module with the page, below src/react. */
  static async open(react: keyof typeof REACTS, fixture = 'page.fixture.tsx'): Promise<Stage> {
    const source = `import { page } from '../react/${fixture}'; window.page = page;`;
    const { code } = await bundle(
      source,
      mergeConfig(WHOLE, { resolve: { alias: REACTS[react] }, build: { minify: false } }),
    );
    return new Stage(await openChromium(), code);
  }

  later(close: () => unknown): void {
    this.#closing.push(close);
  }

  async serve(): Promise<StreamServer> {
    const server = await streamServer();
    this.later(() => server.close());
    return server;
  }

  /** A page of the server's own origin. */
  async visit(url: string): Promise<OpenPage> {
    const page = await this.#browser.newPage();
    this.later(() => page.close());
    const streams: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => /\/stream/.test(request.url()) && streams.push(request.url()));
    page.on('pageerror', (error) => problems.push(String(error)));
    // What is not there (an icon, a run) is told by the browser itself; what React finds wrong is told here.
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load')) problems.push(message.text());
    });
    await page.goto(`${url}/healthz`);
    await page.evaluate(watchPending);
    await page.addScriptTag({ content: this.#script, type: 'module' });
    await page.waitForFunction(() => window.page);
    return { page, streams, problems };
  }

  async clear(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse()) await close();
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }
}

export const mount = (page: Page, names: ShownName[], runId = 'r', strict = false): Promise<void> =>
  page.evaluate(([names, runId, strict]) => window.page.mount(names, runId, strict), [names, runId, strict] as const);

/** Resolves when the element shows the text. */
export const shows = (page: Page, id: string, text: string): Promise<unknown> =>
  page.waitForFunction(([id, text]) => document.getElementById(id)?.textContent === text, [id, text] as const, {
    timeout: 20_000,
  });

export const many = (count: number, draft: (i: number) => Draft = custom): Draft[] =>
  Array.from({ length: count }, (_, i) => draft(i));

/** Runs in the page, before anything else: counts what is left open. */
function watchPending(): void {
  const pending: Window['pending'] = { timers: new Set(), listeners: 0 };
  window.pending = pending;
  const { setTimeout: set, clearTimeout: clear } = window;
  window.setTimeout = ((run: () => void, ms?: number) => {
    const timer: number = set(() => {
      pending.timers.delete(timer);
      run();
    }, ms);
    pending.timers.add(timer);
    return timer;
  }) as typeof window.setTimeout;
  window.clearTimeout = (timer) => {
    pending.timers.delete(timer);
    clear(timer);
  };
  for (const target of [window, document]) {
    const { addEventListener: add, removeEventListener: remove } = target;
    target.addEventListener = (...args: Parameters<typeof add>) => {
      pending.listeners++;
      const { signal } = Object(args[2]) as AddEventListenerOptions;
      signal?.addEventListener('abort', () => pending.listeners--);
      add.apply(target, args);
    };
    target.removeEventListener = (...args: Parameters<typeof remove>) => {
      pending.listeners--;
      remove.apply(target, args);
    };
  }
}
