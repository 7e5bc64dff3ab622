import type * as fc from 'fast-check';
import type { Log, RunChange, Wake } from '../log/index.ts';

/** A log each of whose answers and wake-ups comes when the scheduler says, also stale or in another order. */
export function scheduled(log: Log, s: fc.Scheduler, hintsOnly: boolean): Log {
  const later = <T>(value: T, label: string): Promise<T> => s.schedule(Promise.resolve(value), label);
  return {
    ...log,
    durability: log.durability,
    runs: {
      get: async (runId) => later(await log.runs.get(runId), 'run'),
      async list(query) {
        await later(0, 'asks for the list');
        return later(await log.runs.list(query), 'gets the list');
      },
      async follow(listener) {
        await later(0, 'asks to follow the runs');
        const tell = ({ runId, run }: RunChange) =>
          void later({ runId, ...(run && !hintsOnly && { run }) }, 'tells of a run').then(listener);
        return later(await log.runs.follow(tell), 'follows the runs');
      },
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
      const wake = ({ block, ...hint }: Wake) =>
        void later({ ...hint, ...(block && !hintsOnly && { block }) }, 'wakes').then(listener);
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
