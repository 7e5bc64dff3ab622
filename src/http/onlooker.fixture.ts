import { follow } from '../client/index.ts';
import { emptySnapshot, type RunSnapshot, reduce, type TelltaleEvent } from '../protocol/index.ts';

/** Somebody else who watches a run over HTTP, and knows of it only what the stream says. */
export class Onlooker {
  readonly events: TelltaleEvent[] = [];
  readonly #leave = new AbortController();
  readonly #looks = new Set<() => void>();
  /** Resolves at the end of the stream. */
  readonly ended: Promise<void>;

  constructor(url: string) {
    this.ended = this.#watch(url);
  }

  /** The fold of what it saw. */
  get run(): RunSnapshot {
    const [first] = this.events;
    return this.events.reduce(reduce, emptySnapshot(first?.runId ?? ''));
  }

  /** Resolves with the n-th event of a type as soon as it was seen. */
  saw(type: string, n = 1): Promise<TelltaleEvent> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.events.filter((it) => it.type === type)[n - 1];
        if (!found) return;
        this.#looks.delete(look);
        resolve(found);
      };
      this.#looks.add(look);
      look();
    });
  }

  leave(): Promise<void> {
    this.#leave.abort();
    return this.ended;
  }

  async #watch(url: string): Promise<void> {
    for await (const it of follow(url, { signal: this.#leave.signal })) {
      if (it.kind !== 'event') continue;
      this.events.push(it.event);
      for (const look of this.#looks) look();
    }
  }
}
