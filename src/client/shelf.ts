import type { StoreOptions } from './store.ts';

interface Closable {
  close(): void;
}

/** The stores of a client by key. Those without users stay for a while, the newest `keep` of them. */
export class Shelf {
  readonly #stores = new Map<string, Closable>();
  /** Keys of those without users, by when they were left. */
  readonly #idle = new Set<string>();
  readonly #keep: number;
  readonly #onError: (error: unknown) => void;

  constructor(keep: number, onError: (error: unknown) => void) {
    this.#keep = keep;
    this.#onError = onError;
  }

  /** The store of a key: the one there is, or a new one. */
  get<S extends Closable>(key: string, make: (options: StoreOptions) => S): S {
    const known = this.#stores.get(key);
    if (known) return known as S;
    const store: S = make({
      onError: this.#onError,
      onUse: () => {
        this.#stores.set(key, store);
        this.#idle.delete(key);
      },
      onIdle: () => this.#rest(key),
    });
    this.#stores.set(key, store);
    this.#rest(key);
    return store;
  }

  close(): void {
    for (const store of this.#stores.values()) store.close();
    this.#stores.clear();
    this.#idle.clear();
  }

  #rest(key: string): void {
    this.#idle.delete(key);
    this.#idle.add(key);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= this.#keep) return;
      this.#idle.delete(oldest);
      this.#stores.delete(oldest);
    }
  }
}
