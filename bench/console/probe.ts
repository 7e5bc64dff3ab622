/** What a page of the console is watched with. */
export interface Probe {
  /**
   * Clicks on a link to a run. When its first rows were painted, and when everything was: it has ended, or is live. In
   * milliseconds since the click.
   */
  open(link: string): Promise<{ readonly firstRows: number; readonly all: number }>;
  /** So far: timers set or gone off, frames asked for, commits of React. */
  readonly counts: { timers: number; frames: number; commits: number };
  /** Tasks of more than 50 ms (W3C Long Tasks), in milliseconds. */
  readonly longTasks: number[];
  /** Milliseconds from each painted frame to the next, for so long. */
  frames(ms: number): Promise<number[]>;
  /** Nodes of the document, texts included. */
  nodes(): number;
  /** Events of the run that the page speaks of. */
  shown(): number;
}

declare global {
  interface Window {
    probe: Probe;
    __REACT_DEVTOOLS_GLOBAL_HOOK__: object;
  }
}

/** Runs in the page before anything of its own, as text: it names nothing outside itself. */
export function installProbe(): void {
  const nextFrame = window.requestAnimationFrame.bind(window);
  const frame = (): Promise<unknown> => new Promise(nextFrame);
  const counts = { timers: 0, frames: 0, commits: 0 };
  for (const name of ['setTimeout', 'setInterval'] as const) {
    const set = window[name] as (...about: unknown[]) => number;
    const counting = (handler: (...args: unknown[]) => void, ...about: unknown[]): number => {
      counts.timers++;
      const goOff = (...args: unknown[]): void => {
        counts.timers++;
        handler(...args);
      };
      return set.call(window, goOff, ...about);
    };
    Object.assign(window, { [name]: counting });
  }
  window.requestAnimationFrame = (show) => {
    counts.frames++;
    return nextFrame(show);
  };
  // React tells its developer tools of each commit, in production too.
  const onCommitFiberRoot = (): number => counts.commits++;
  const nothing = (): void => {};
  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    ...{ supportsFiber: true, inject: () => 1, onCommitFiberRoot },
    ...{ onCommitFiberUnmount: nothing, onPostCommitFiberRoot: nothing },
  };
  const longTasks: number[] = [];
  const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((it) => it.duration)));
  observer.observe({ type: 'longtask', buffered: true });

  /** When the frame was painted in which the page first has this. */
  async function painted(selector: string): Promise<number> {
    while (!document.querySelector(selector)) await frame();
    await frame();
    return performance.now();
  }
  const status = (...of: string[]): string => of.map((it) => `[data-slot=connection-status][data-status=${it}]`).join();
  async function open(link: string) {
    const start = performance.now();
    document.querySelector<HTMLElement>(link)?.click();
    const all = painted(status('live', 'completed'));
    // A run that only began has no rows.
    const firstRows = await Promise.race([painted('[data-slot=timeline-row]'), all]);
    return { firstRows: firstRows - start, all: (await all) - start };
  }
  async function frames(ms: number): Promise<number[]> {
    const deltas: number[] = [];
    await frame();
    const start = performance.now();
    for (let last = start; last - start < ms; ) {
      const now = (await frame()) as number;
      deltas.push(now - last);
      last = now;
    }
    // The first is cut: it began in the middle of a frame.
    return deltas.slice(1);
  }
  function nodes(): number {
    const walker = document.createTreeWalker(document);
    let count = 1;
    while (walker.nextNode()) count++;
    return count;
  }
  const shown = (): number => {
    const line = document.querySelector('[data-slot=connection-status]')?.textContent ?? '';
    return Number(/([\d,]+) event/.exec(line)?.[1]?.replaceAll(',', ''));
  };
  window.probe = { open, counts, longTasks, frames, nodes, shown };
}
