/** What a browser says about the page, for connections. Where there is no page (Node, Bun, Deno, workers) it says nothing. */
export type PageSignal = 'online' | 'offline' | 'visible' | 'sleep' | 'wake';

const SIGNALS: Readonly<Record<string, PageSignal>> = {
  online: 'online',
  offline: 'offline',
  pagehide: 'sleep',
  pageshow: 'wake',
  freeze: 'sleep',
  resume: 'wake',
  visibilitychange: 'visible',
};

/**
 * Tells of the network, of being looked at, and of freezing: a page in the back/forward cache or a frozen tab keeps no
 * connection, and one that it had is dead when it comes back, often without an error (iOS).
 *
 * @returns what ends it.
 */
export function watchPage(listener: (signal: PageSignal) => void): () => void {
  const ended = new AbortController();
  const tell = ({ type }: Event): void => {
    const signal = SIGNALS[type] as PageSignal;
    if (signal !== 'visible' || document.visibilityState === 'visible') listener(signal);
  };
  if (typeof document !== 'undefined') {
    for (const type of Object.keys(SIGNALS)) {
      // What is told to the document alone (freeze, resume, visibilitychange) does not all bubble: the window captures it.
      window.addEventListener(type, tell, { signal: ended.signal, capture: true });
    }
  }
  return () => ended.abort();
}
