/** Eight runs in a page over HTTP/1.1, where a browser opens six connections to a server. */
import { expect, test } from 'vitest';
import { executablePath, openChromium } from '../http/chromium.fixture.ts';
import { streamServer } from '../http/stream.fixture.ts';
import { append, custom, END, START } from '../hub/drafts.fixture.ts';
import { until } from '../hub/recording.fixture.ts';
import { bundle, WHOLE } from './bundle.fixture.ts';
import type { createClient } from './client.ts';
import type { Run } from './run.ts';

test.skipIf(!executablePath)(
  'in Chromium all eight are live, over one connection, and the page can still ask for something',
  async () => {
    const server = await streamServer();
    const browser = await openChromium();
    try {
      const ids = Array.from({ length: 8 }, (_, i) => `r${i}`);
      for (const id of ids) await append(server.log, id, [START, custom(id)]);
      const page = await browser.newPage();
      await page.goto(`${server.url}/healthz`);
      const { code } = await bundle(`import { createClient } from './index.ts'; window.make = createClient;`, WHOLE);
      await page.addScriptTag({ content: code, type: 'module' });
      await page.waitForFunction('window.make');
      await page.evaluate((ids) => {
        const it = window as unknown as { make: typeof createClient; runs: Run[] };
        const client = it.make({ url: '/' });
        it.runs = ids.map((id) => client.run(id));
        for (const run of it.runs) run.subscribe(() => {});
      }, ids);
      const all = (view: string) =>
        page.waitForFunction(
          (view) =>
            (window as unknown as { runs: Run[] }).runs.every((run) => {
              const { connection, lastSeq } = run.getSnapshot();
              return `${connection} ${lastSeq}` === view;
            }),
          view,
        );
      await all('live 2');
      await until(() => server.hub.viewers === 1);
      expect(await page.evaluate(() => fetch('/healthz').then((it) => it.status))).toBe(200);
      for (const id of ids) await append(server.log, id, [custom('more'), END]);
      await all('closed 4');
      expect(server.errors).toEqual([]);
    } finally {
      await browser.close();
      await server.close();
    }
  },
  30_000,
);
