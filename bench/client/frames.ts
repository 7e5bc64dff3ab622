/** How smoothly a page went on for a while. */
export interface Frames {
  /** Milliseconds from each painted frame to the next. */
  readonly deltas: readonly number[];
  /** Tasks of more than 50 ms (W3C Long Tasks), in milliseconds. */
  readonly longTasks: readonly number[];
  /** Nodes of the document at the end, texts included. */
  readonly nodes: number;
  /** Numbers that the page showed at the beginning and at the end, and the time between the two. */
  readonly from: number;
  readonly to: number;
  readonly ms: number;
}

/** Runs in the page: watches frames for so many milliseconds. */
export async function watchFrames(ms: number): Promise<Frames> {
  const longTasks: number[] = [];
  const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((it) => it.duration)));
  observer.observe({ type: 'longtask' });
  const start = await frame();
  const from = shown();
  const deltas: number[] = [];
  let last = start;
  while (last - start < ms) {
    const now = await frame();
    deltas.push(now - last);
    last = now;
  }
  const to = shown();
  observer.disconnect();
  return { deltas, longTasks, nodes: nodes(), from, to, ms: last - start };
}

const frame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(resolve));

/** The number in the page's only `<output>`. */
const shown = (): number => Number(document.querySelector('output')?.textContent);

function nodes(): number {
  const walker = document.createTreeWalker(document);
  let count = 1;
  while (walker.nextNode()) count++;
  return count;
}
