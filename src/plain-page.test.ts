/** examples/plain in a real Chromium, with the server beside it, as its README says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { executablePath, openChromium } from './http/chromium.fixture.ts';

const folder = join(import.meta.dirname, '../examples/plain');

describe.skipIf(!executablePath)('examples/plain in Chromium', () => {
  let browser: Browser;
  let dir: string;
  let server: { url: string; child: ChildProcess };

  const start = async (port = '0'): Promise<void> => {
    const args = ['--conditions=telltale-source', join(folder, 'server.ts'), port, join(dir, 'log')];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [url] = await once(createInterface(child.stdout), 'line');
    server = { url: String(url), child };
  };
  const stop = async (): Promise<void> => {
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'telltale-plain-'));
    browser = await openChromium();
    await start();
  });
  afterAll(async () => {
    await browser.close();
    await stop();
    await rm(dir, { recursive: true, force: true });
  });

  const post = async (path: string, body: object): Promise<void> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    expect((await fetch(`${server.url}/v1/runs${path}`, init)).status).toBeLessThan(300);
  };
  const say = (...words: string[]) =>
    post('/r/events', { events: words.map((delta) => ({ type: 'message.delta', data: { messageId: 'm', delta } })) });
  const shows = (page: Page, id: string, text: string): Promise<unknown> =>
    page.waitForFunction(([id, text]) => document.getElementById(id!)?.textContent === text, [id, text]);

  test('is at most fifteen lines of script', async () => {
    const script = /<script>\n([\s\S]*?)\n\s*<\/script>/.exec(await readFile(join(folder, 'index.html'), 'utf8'))?.[1];
    expect(script?.split('\n').length).toBeLessThanOrEqual(15);
  });

  test('shows a run over a reload, a killed server and its end, every word once', async () => {
    await post('', { agent: 'writer', runId: 'r', mode: 'remote' });
    await say('One ', 'two ');
    const page = await browser.newPage();
    let streams = 0;
    page.on('request', (it) => {
      if (it.url().includes('/stream')) streams++;
    });
    await page.goto(`${server.url}/?run=r`);
    await shows(page, 'answer', 'One two ');
    await shows(page, 'run', 'writer is at work');
    await shows(page, 'connection', 'live');

    await page.reload();
    await shows(page, 'answer', 'One two ');
    await say('three ');
    await shows(page, 'answer', 'One two three ');

    await stop();
    await shows(page, 'connection', 'reconnecting');
    await start(new URL(server.url).port);
    await say('four ');
    await shows(page, 'answer', 'One two three four ');
    await shows(page, 'connection', 'live');

    await say('five.');
    await post('/r/events', {
      events: [{ type: 'message.completed', data: { messageId: 'm2', text: 'And all of it.' } }],
    });
    await post('/r/events', { events: [{ type: 'run.completed', data: {} }] });
    await shows(page, 'run', 'completed');
    await shows(page, 'connection', 'closed');
    const before = streams;
    await page.reload();
    await shows(page, 'answer', 'One two three four five.\nAnd all of it.');
    await shows(page, 'connection', 'closed');
    // The whole run, and the 204 that ends it.
    expect(streams - before).toBe(2);
  }, 60_000);

  test('shows its own agent at work', async () => {
    await post('', { agent: 'greeter', input: 'Ada', runId: 'first' });
    const page = await browser.newPage();
    await page.goto(`${server.url}/?run=first`);
    await shows(page, 'answer', 'Hello Ada, this is said word by word.');
    await shows(page, 'run', 'completed');
  });
});
