/**
 * What `begin` gives, unless `signal` is aborted first: then it rejects with the reason. Once aborted it does not begin.
 * Not Promise.race with one promise for all: each race would stay in memory until that promise settles.
 */
export function unlessAborted<T>(begin: () => T | PromiseLike<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const stop = () => reject(signal.reason);
    const settle =
      <V>(how: (value: V) => void) =>
      (value: V) => {
        signal.removeEventListener('abort', stop);
        how(value);
      };
    signal.addEventListener('abort', stop, { once: true });
    // In a then, so that a `begin` that throws at once rejects like one that throws later.
    Promise.resolve().then(begin).then(settle(resolve), settle(reject));
  });
}
