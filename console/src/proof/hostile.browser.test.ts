/** Whatever an agent was made to write, in every field that it can write: the console shows it, and does nothing else. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { serve } from '../../../src/client/scripted.fixture.ts';
import { executablePath, Stage } from '../console.fixture.ts';
import { corpus } from './corpus.fixture.ts';
import { writeHostile } from './hostile.fixture.ts';

/** Texts of one run, and of how many fields each is in one. */
const [PORTION, SHARE] = process.env.TELLTALE_LONG ? [8, 1] : [64, 6];
/** Names of prototypes are names of runs, too. */
const RUN_IDS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

describe.skipIf(!executablePath)('texts that mean harm', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
  });
  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  test('run nothing, load nothing, lead nowhere, hide nothing and break nothing, in any field and on any screen', async () => {
    const elsewhere = await serve((_, response) => response.end());
    stage.later(() => elsewhere.close());
    const texts = corpus(elsewhere.url);
    expect(texts.length).toBeGreaterThanOrEqual(300);
    const { url } = await stage.serve((app) => {
      for (const text of texts.slice(0, 20)) app.agent(text, () => {}, { description: text, model: text });
    });
    const runs: string[] = [];
    for (let at = 0; at < texts.length; at += PORTION) {
      const runId = RUN_IDS[runs.length] ?? `run${runs.length}`;
      await writeHostile(url, runId, 'constructor', texts.slice(at, at + PORTION), SHARE);
      runs.push(runId);
    }

    // So high that every row is in the page.
    const { page, problems } = await stage.visit('about:blank', { height: 4_000 });
    page.setDefaultTimeout(20_000);
    const asked: string[] = [];
    const opened: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('dialog', (dialog) => {
      opened.push(dialog.message());
      void dialog.dismiss();
    });
    page.context().on('page', (it) => opened.push(it.url()));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (it) =>
        console.error(`${it.violatedDirective} ${it.blockedURI}`),
      );
    });
    const isSound = async (where: string) => {
      const found = await page.evaluate(look);
      expect({ where, ...found }).toEqual({ where, hacked: false, hidden: [], sideways: 0, leading: [] });
    };

    for (const runId of runs) {
      await page.goto(`${url}/runs/${runId}`);
      await page.locator('.story [data-slot=timeline-row]').nth(5).waitFor();
      await unfold(page);
      await isSound(`${runId}, story`);
      for (const details of await page.locator('.row-detail').evaluateAll(chosen, runs.indexOf(runId))) {
        await page.locator('.row-detail').nth(details).dispatchEvent('click');
        await page.locator('.detail h2').waitFor();
        await unfold(page);
      }
      await isSound(`${runId}, details`);
      await page.getByRole('button', { name: 'Events', exact: true }).click();
      await page.locator('.frame-data').nth(5).waitFor();
      await isSound(`${runId}, events`);
      await page.getByRole('button', { name: 'JSON', exact: true }).click();
      await page.locator('.run-main .json').first().waitFor();
      await unfold(page);
      await isSound(`${runId}, JSON`);
    }
    await page.goto(`${url}/chat/constructor`);
    await page
      .locator('.turn')
      .nth(runs.length - 1)
      .waitFor();
    await page.locator('.work-chip').first().click();
    await page.locator('.flyout [data-slot=timeline-row]').nth(5).waitFor();
    await isSound('chat');
    await page.getByRole('link', { name: 'Runs', exact: true }).click();
    await page.getByRole('row').nth(runs.length).waitFor();
    await isSound('runs');
    await page.getByRole('button', { name: 'New run' }).click();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.keyboard.type('o');
    await page.getByRole('option').first().waitFor();
    await isSound('palette');

    expect(asked.filter((it) => !it.startsWith(url))).toEqual([]);
    expect(elsewhere.requests.map((it) => it.url)).toEqual([]);
    expect(opened).toEqual([]);
    expect(problems).toEqual([]);
  }, 120_000);
});

/** A row of every third kind that there is: others in the next run. */
const chosen = (buttons: Element[], run: number): number[] => {
  const kinds = new Map<string, number>();
  for (const [i, button] of buttons.entries()) {
    const kind = button.closest('[data-kind]')?.getAttribute('data-kind') ?? '';
    if (!kinds.has(kind)) kinds.set(kind, i);
  }
  return [...kinds.values()].filter((_, i) => (i + run) % 3 === 0);
};

/** Opens much of what is folded, twice: what opens holds more of it. */
async function unfold(page: Page): Promise<void> {
  for (let i = 0; i < 2; i++) {
    await page.locator('main').evaluate((main) => {
      const triggers = main.querySelectorAll<HTMLElement>(
        '[data-slot$=trigger][aria-expanded=false], .json-trigger[aria-expanded=false]',
      );
      for (const it of [...triggers].slice(-30)) it.click();
      for (const it of main.querySelectorAll<HTMLDetailsElement>('details:not([open])')) it.open = true;
    });
  }
}

/** Runs in the page: what of it is not as it should be. */
function look() {
  // From strings: the flag is newer than the language level that this is compiled for.
  const sets = 'v';
  const HIDDEN = new RegExp('[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]', sets);
  const SHOWN = new RegExp('\\p{RGI_Emoji}|[\\n\\t]', `g${sets}`);
  const seen = (text: string): string => text.replace(SHOWN, '');
  const hidden = new Set<string>();
  const note = (where: string, text: string): void => {
    const found = HIDDEN.exec(seen(text));
    if (found) hidden.add(`${where}: U+${found[0].codePointAt(0)?.toString(16)}`);
  };
  const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { parentElement: parent, data } = texts.currentNode as Text;
    if (parent?.localName !== 'script')
      note(parent?.closest('[class], [data-slot]')?.outerHTML.slice(0, 120) ?? '', data);
  }
  const leading: string[] = [];
  for (const element of document.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      if (['title', 'alt', 'placeholder'].includes(name) || name.startsWith('aria-'))
        note(`${element.className} ${name}`, value);
      if (name.startsWith('on')) leading.push(`${element.localName} ${name}`);
      if (name === 'src' && !(element as HTMLScriptElement).src.startsWith(location.origin)) leading.push(value);
    }
    if (element instanceof HTMLAnchorElement && !/^(https?|mailto):/.test(element.href)) leading.push(element.href);
  }
  return {
    hacked: 'hacked' in globalThis,
    hidden: [...hidden],
    sideways: document.documentElement.scrollWidth - innerWidth,
    leading,
  };
}
