/** The example in Chromium, on a PDF that Chromium printed: with rules, and with a local server that stands in for a model. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenAiStub, openAiStub } from '../../src/adapters/openai-stub.fixture.ts';
import { executablePath, openBrowser, type Served, serve, violations } from '../example.fixture.ts';

const PAGES = [
  'The harbour of Lisbon was rebuilt in the spring. Nine ships came in its first week.',
  'The lighthouse keeper counted every one of the ships at night. He wrote their names into a green book.',
  'In the winter the lighthouse was dark for eleven nights, because the oil had not come.',
];

describe.skipIf(!executablePath)('examples/agent-activity in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser;
  let pdf: { name: string; mimeType: string; buffer: Buffer };
  const closing: (() => Promise<unknown>)[] = [];
  let rules: Served;

  beforeAll(async () => {
    [browser, rules] = await Promise.all([openBrowser(), served()]);
    const page = await browser.newPage();
    await page.setContent(PAGES.map((text) => `<p style="break-after: page">${text}</p>`).join(''));
    pdf = { name: 'harbour.pdf', mimeType: 'application/pdf', buffer: await page.pdf() };
  });
  afterAll(async () => {
    await browser?.close();
    for (const close of closing) await close();
  });

  async function served(env?: NodeJS.ProcessEnv): Promise<Served> {
    const server = await serve('agent-activity', [], env);
    closing.push(server.stop);
    return server;
  }
  async function ask(page: Page, question: string): Promise<void> {
    await page.setInputFiles('input[type=file]', pdf);
    await page.getByLabel('Question').fill(question);
    await page.getByRole('button', { name: 'Ask' }).click();
  }
  /** What the page shows of each activity, without the time. */
  const activities = (page: Page): Promise<string[]> =>
    page.locator('#activities li > div > p:first-child').allTextContents();
  const ended = (page: Page, count = 1) =>
    page.waitForFunction(
      (count) =>
        [...document.querySelectorAll('#activities b')].filter((it) => it.textContent === ' Run ').length === 2 * count,
      count,
    );

  test('a question about a PDF is answered by rules with its pages, in every tab and after a reload', async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    await page.goto(rules.url);
    await page.waitForSelector('text=Answered by: rules, no LLM');
    await ask(page, 'Why was the lighthouse dark?');
    await ended(page);
    const shown = await activities(page);
    expect(shown).toEqual([
      '● in-progress Run document-agent',
      '● in-progress Processing document Document Agent',
      '✓ completed Processing document Document Agent',
      '● in-progress Calling search Search Agent',
      '✓ completed Calling search Search Agent',
      '✓ completed Message Search Agent',
      '✓ completed Run document-agent',
    ]);
    await page.waitForSelector('text=3 pages, 51 words');
    const answer = await page.locator('.answer .text').textContent();
    expect(answer).toBe(
      [
        'These sentences say most about “lighthouse”, “dark”:',
        'p. 2  The lighthouse keeper counted every one of the ships at night.',
        'p. 3  In the winter the lighthouse was dark for eleven nights, because the oil had not come.',
        'By rules, no LLM: words were counted, nothing was understood.',
      ].join('\n\n'),
    );
    expect(await page.locator('#agents li').allTextContents()).toEqual([
      '✓ completed Document Agent',
      '✓ completed Search Agent',
    ]);

    const other = await browser.newPage();
    await other.goto(page.url());
    await ended(other);
    expect(await activities(other)).toEqual(shown);
    await ask(page, 'What is it about?');
    await ended(other, 2);
    expect(await other.locator('.answer').count()).toBe(2);
    await page.reload();
    await ended(page, 2);
    expect(await activities(page)).toEqual(await activities(other));
    expect(await violations(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('what is no PDF is refused, and what is broken or has no text ends as an error that says so', async () => {
    const { url } = rules;
    const page = await browser.newPage();
    await page.goto(url);
    await page.setInputFiles('input[type=file]', { ...pdf, name: 'notes.pdf', buffer: Buffer.from('Notes.') });
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByRole('alert').getByText('notes.pdf is not a PDF.').waitFor();
    expect(await activities(page)).toEqual([]);
    const broken = Buffer.from('%PDF-1.7 and nothing more');
    const empty = await (await browser.newPage()).pdf();
    for (const [buffer, message] of [
      [broken, 'Invalid PDF structure.'],
      [empty, 'harbour.pdf has no text: its pages are pictures.'],
    ] as const) {
      await page.setInputFiles('input[type=file]', { ...pdf, buffer });
      await page.getByRole('button', { name: 'Ask' }).click();
      await page.locator('#activities li', { hasText: '✕ error Run' }).getByText(message).waitFor();
    }
    const huge = await fetch(`${url}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/pdf' },
      body: Buffer.alloc(21 * 1024 * 1024),
    });
    expect(huge.status).toBe(413);
    expect((await fetch(`${url}/documents`, { method: 'POST', body: 'text' })).status).toBe(415);
  });

  test('the same without the page: one document, several questions, until it is no longer there', async () => {
    const { url } = rules;
    const post = async (path: string, type: string, body: BodyInit): Promise<{ document: string; runId: string }> =>
      (await fetch(url + path, { method: 'POST', headers: { 'content-type': type }, body })).json();
    const ask = async (document: string, question: string) => {
      const run = { agent: 'document-agent', input: { document, question } };
      const { runId } = await post('/v1/runs', 'application/json', JSON.stringify(run));
      return (await fetch(`${url}/v1/runs/${runId}/stream`)).text();
    };
    const give = () => post('/documents?name=harbour.pdf', 'application/pdf', new Uint8Array(pdf.buffer));
    const { document } = await give();
    expect(await ask(document, 'Where was a harbour rebuilt?')).toContain('p. 1  The harbour of Lisbon');
    expect(await ask(document, 'What is in the green book?')).toContain('p. 2  He wrote their names');
    for (let i = 0; i < 8; i++) await give();
    expect(await ask(document, 'Where?')).toContain('This document is no longer here. Give it again.');
    // Not an address that a URL could have; the server is still there afterwards.
    for (const path of ['//', '/nothing']) expect((await fetch(url + path)).status).toBe(404);
  });

  test('with a model it searches and reads, and the answer is the model’s', async () => {
    const model: OpenAiStub = await openAiStub(
      (_, index) =>
        [
          {
            tools: [
              { name: 'search', args: { terms: ['lighthouses'] } },
              { name: 'read_page', args: { page: 3 } },
            ],
          },
          { text: 'The oil had not come (p. 3).' },
        ][index]!,
    );
    closing.push(model.close);
    const { url } = await served({ OPENAI_BASE_URL: model.url, OPENAI_MODEL: 'stub-1' });
    const page = await browser.newPage();
    await page.goto(url);
    await page.waitForSelector(`text=Answered by: stub-1 (${new URL(url).hostname}`);
    await ask(page, 'Why was the lighthouse dark?');
    await ended(page);
    expect(await page.locator('.answer .text').textContent()).toBe('The oil had not come (p. 3).');
    expect(await activities(page)).toContain('✓ completed Calling read_page Answer Agent');
    const results = model.requests[1]!.messages.filter((it) => it.role === 'tool').map((it) => String(it.content));
    expect(results[0]).toContain('The lighthouse keeper counted');
    expect(results[1]).toContain('In the winter');
  });
});
