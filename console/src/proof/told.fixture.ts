import type { Page } from 'playwright-core';
import { expect } from 'vitest';

/** What a screen reader was told: by whom (politely, or at once), and when, in milliseconds since the page began. */
export interface Told {
  readonly how: 'polite' | 'assertive';
  readonly text: string;
  readonly at: number;
}

declare global {
  interface Window {
    told: Told[];
  }
}

/** Has every page that is opened from now on note what its live regions say. */
export const listen = (page: Page): Promise<unknown> => page.addInitScript(note);

export const told = (page: Page): Promise<Told[]> => page.evaluate(() => window.told);

/** Waits until it was said that way. */
export const hears = (page: Page, how: Told['how'], text: string): Promise<unknown> =>
  expect
    .poll(() => told(page), { timeout: 10_000 })
    .toContainEqual({
      ...{ how, at: expect.any(Number), text: expect.stringContaining(text) },
    });

/** Runs in the page. A region that comes with a text says it, too: an alert is heard, a status by most. */
function note(): void {
  const last = new Map<Element, string>();
  window.told = [];
  const look = (): void => {
    for (const region of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
      // What is not drawn, as in closed details, is not read either.
      const text = region.checkVisibility() ? (region.textContent?.trim() ?? '') : '';
      if (text === (last.get(region) ?? '')) continue;
      last.set(region, text);
      const isUrgent = region.role === 'alert' || region.ariaLive === 'assertive';
      if (text !== '') window.told.push({ how: isUrgent ? 'assertive' : 'polite', text, at: performance.now() });
    }
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
}
