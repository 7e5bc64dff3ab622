import type * as fc from 'fast-check';
import type { Log, Wake } from '../log/index.ts';

/** A log each of whose answers and wake-ups comes when the scheduler says, also stale or in another order. */
export function scheduled(log: Log, s: fc.Scheduler, hintsOnly: boolean): Log {
  const later = <T>(value: T, label: string): Promise<T> => s.schedule(Promise.resolve(value), label);
  return {
    ...log,
    durability: log.durability,
    runs: {
      get: async (runId) => later(await log.runs.get(runId), 'run'),
      list: (query) => log.runs.list(query),
    },
    append: (...args) => log.append(...args),
    async head(threadId) {
      await later(0, 'asks for the head');
      return later(await log.head(threadId), 'gets the head');
    },
    async read(threadId, after, bytes) {
      await later(0, 'asks for a page');
      return later(await log.read(threadId, after, bytes), 'gets a page');
    },
    async follow(threadId, listener) {
      await later(0, 'asks to follow');
      const wake = ({ epoch, last, block }: Wake) =>
        void later({ epoch, last, ...(block && !hintsOnly && { block }) }, 'wakes').then(listener);
      return later(await log.follow(threadId, wake), 'follows');
    },
    close: () => log.close(),
  };
}

/** Lets the scheduler go on until nothing happens any more. */
export async function settle(s: fc.Scheduler): Promise<void> {
  for (let idle = 0; idle < 4; ) {
    if (s.count() > 0) {
      idle = 0;
      await s.waitNext(1);
    } else {
      idle++;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
