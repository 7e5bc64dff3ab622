/** A terminal sends Ctrl-C to the whole process group, and npm passes it on once more: that is one wish, not two. */
const ONE_WISH_MS = 250;

/** Calls back for each Ctrl-C (or SIGTERM) with how often it was wished, from 1; it no longer ends the process. */
export function onInterrupt(listener: (times: number, signal: NodeJS.Signals) => void): void {
  let times = 0;
  let last = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals): void => {
    const now = performance.now();
    if (now - last < ONE_WISH_MS) return;
    last = now;
    listener(++times, signal);
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
}
