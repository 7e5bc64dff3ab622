/** An example as people run it: its server in a process of its own, its page in a real Chromium. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';

export { executablePath, openChromium as openBrowser } from '../src/http/chromium.fixture.ts';

export interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param env Beside what every program needs: a key in the environment of whoever runs the tests is not for them. */
export async function serve(
  example: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Served> {
  const program = join(import.meta.dirname, example, 'server.ts');
  const child = spawn(process.execPath, ['--conditions=telltale-source', program, '0', 'memory:', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
  });
  const gone = once(child, 'exit');
  const line = once(createInterface(child.stdout), 'line');
  const [url] = await Promise.race([line, gone.then(() => Promise.reject(new Error(`${example} did not start`)))]);
  return {
    url: String(url),
    async stop() {
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** What axe finds wrong with a page as it stands, in light and in dark, wide and narrow. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'));
  const found = new Set<string>();
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1280, 390]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 844 });
      const ids = await page.evaluate(async () => {
        const { axe: run } = globalThis as unknown as { axe: typeof axe };
        return (await run.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map((it) => it.html).join(' ')}`);
      });
      for (const id of ids) found.add(`${colorScheme}, ${width}: ${id}`);
      const isTooWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      if (isTooWide) found.add(`${colorScheme}, ${width}: it scrolls sideways`);
    }
  }
  return [...found];
}
