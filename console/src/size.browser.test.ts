import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { executablePath, Stage } from './console.fixture.ts';

const KIB = 1024;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

test.skipIf(!executablePath)(
  'what the screens load, compressed: the first 160 KiB at most, each other 60',
  async () => {
    const { app, url } = await stage.serve((app) => {
      app.agent('thinker', (run) => run.think('Hello'));
      app.agent('greeter', (run) => run.say('Hello'));
    });
    await app.start({ agent: 'thinker', runId: 'thinks' });
    await app.start({ agent: 'greeter', runId: 'answers' });
    const { page } = await stage.visit('about:blank');
    const known = new Set<string>();
    const arriving: Promise<number>[] = [];
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'script' || known.has(response.url())) return;
      known.add(response.url());
      arriving.push(response.body().then((body) => gzipSync(body, { level: 9 }).length));
    });
    /** What a visit adds to what was loaded before it. */
    const visit = async (path: string, isThere: string): Promise<number> => {
      await page.goto(`${url}${path}`);
      await page.locator(isThere).first().waitFor();
      const sizes = await Promise.all(arriving.splice(0));
      return sizes.reduce((sum, size) => sum + size, 0) / KIB;
    };
    const sizes = {
      runs: await visit('/', '.runs-table'),
      run: await visit('/runs/thinks', '.replay-line'),
      // Markdown is loaded with the first answer.
      answer: await visit('/runs/answers', '.markdown'),
      events: await visit('/runs/answers?view=frames', '.frame-data'),
      json: await visit('/runs/answers?view=json', '.json'),
      chat: await visit('/chat', 'h1'),
    };
    console.log(
      Object.entries(sizes)
        .map(([name, size]) => `${name}: ${size.toFixed(1)} KiB`)
        .join(', '),
    );
    const { runs, ...others } = sizes;
    expect(runs).toBeLessThan(160);
    expect(sizes.answer).toBeLessThan(55);
    for (const [name, size] of Object.entries(others)) expect(size, name).toBeLessThan(60);
  },
);
