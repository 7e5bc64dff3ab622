import type { Wake } from './log.ts';

/** The key under which followers of the run index stand: no id of a thread. */
export const ALL_RUNS = '*';

/** Who wants to know of a thread's commits, or (under one key) of what happens to any run. */
export class Followers<Hint = Wake> {
  readonly #threads = new Map<string, Set<(hint: Hint) => void>>();

  /** The threads that somebody follows. */
  get threads(): string[] {
    return [...this.#threads.keys()];
  }

  add(threadId: string, listener: (hint: Hint) => void): () => void {
    // One object per call: the same function may follow twice.
    const own = (hint: Hint) => listener(hint);
    const listeners = this.#threads.get(threadId) ?? new Set();
    this.#threads.set(threadId, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#threads.get(threadId) === listeners) this.#threads.delete(threadId);
    };
  }

  /** In a microtask, so that no listener runs between two answers of one commit; in the order of the calls. */
  wake(threadId: string, hint: Hint): void {
    if (!this.#threads.has(threadId)) return;
    queueMicrotask(() => {
      for (const listener of this.#threads.get(threadId) ?? []) {
        try {
          listener(hint);
        } catch {
          // A wake-up is a hint: who lost one finds the events with the next read, and nobody else is to suffer for it.
        }
      }
    });
  }

  clear(): void {
    this.#threads.clear();
  }
}
