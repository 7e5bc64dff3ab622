/** What a browser says about the page, for connections. Where there is no page (Node, Bun, Deno, workers) it says nothing. */
export type PageSignal = 'online' | 'offline' | 'visible' | 'sleep' | 'wake';

/**
 * Tells of the network, of being looked at, and of freezing: a page in the back/forward cache or a frozen tab keeps no
 * connection, and one that it had is dead when it comes back, often without an error (iOS).
 *
 * @returns what ends it.
 */
export function watchPage(listener: (signal: PageSignal) => void): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {};
  const ended = new AbortController();
  const on = (target: EventTarget, type: string, signal: () => PageSignal | undefined): void => {
    const tell = (): void => {
      const it = signal();
      if (it) listener(it);
    };
    target.addEventListener(type, tell, { signal: ended.signal });
  };
  on(window, 'online', () => 'online');
  on(window, 'offline', () => 'offline');
  on(window, 'pagehide', () => 'sleep');
  on(window, 'pageshow', () => 'wake');
  on(document, 'freeze', () => 'sleep');
  on(document, 'resume', () => 'wake');
  on(document, 'visibilitychange', () => (document.visibilityState === 'visible' ? 'visible' : undefined));
  return () => ended.abort();
}
