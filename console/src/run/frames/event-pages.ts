import type { Client } from 'telltale/client';
import { formatCursor, TelltaleError, type TelltaleEvent } from 'telltale/protocol';

/** So many numbers a page, and so many pages that are kept: what is scrolled past long ago is asked for again. */
const PAGE = 200;
const MOST_PAGES = 40;

interface Loaded {
  /** The run's events by number. A number that has none is one of another run of the thread, or void. */
  readonly events: ReadonlyMap<number, TelltaleEvent>;
  /** The page is known up to this number. */
  readonly through: number;
}

/** What is known of a number: its event, that it is none of this run, or nothing yet. */
export type Known = TelltaleEvent | 'other' | undefined;

/**
 * The events of a run by their numbers, as far as somebody looks at them: pages that are asked for when they are seen, one
 * request at a time, the newest wish first. For `useSyncExternalStore`.
 */
export class EventPages {
  readonly #client: Pick<Client, 'events'>;
  readonly #runId: string;
  readonly #epoch: string;
  /** In the order in which they were last seen. */
  readonly #pages = new Map<number, Loaded>();
  readonly #listeners = new Set<() => void>();
  #wanted: readonly number[] = [];
  #last = 0;
  #isLoading = false;
  #version = 0;
  error: TelltaleError | undefined;

  constructor(client: Pick<Client, 'events'>, runId: string, epoch: string) {
    this.#client = client;
    this.#runId = runId;
    this.#epoch = epoch;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another one whenever something was loaded. */
  readonly getVersion = (): number => this.#version;

  get(seq: number): Known {
    const page = this.#pages.get(pageOf(seq));
    return page && seq <= page.through ? (page.events.get(seq) ?? 'other') : undefined;
  }

  /** Loads what is not known of the numbers from `first` to `last`; `latest` is the newest that there is. */
  want(first: number, last: number, latest: number): void {
    this.#last = latest;
    const pages = Array.from({ length: pageOf(last) - pageOf(first) + 1 }, (_, i) => pageOf(first) + i);
    this.#wanted = pages.filter((page) => !this.#isWhole(page));
    for (const page of pages) this.#touch(page);
    void this.#load();
  }

  retry(): void {
    this.error = undefined;
    this.#tell();
    void this.#load();
  }

  #isWhole(page: number): boolean {
    const { through = 0 } = this.#pages.get(page) ?? {};
    return through >= Math.min(lastOf(page), this.#last);
  }

  #touch(page: number): void {
    const known = this.#pages.get(page);
    if (!known) return;
    this.#pages.delete(page);
    this.#pages.set(page, known);
  }

  async #load(): Promise<void> {
    if (this.#isLoading || this.error) return;
    this.#isLoading = true;
    try {
      for (let page = this.#wanted[0]; page !== undefined; page = this.#wanted.find((it) => !this.#isWhole(it))) {
        await this.#loadPage(page);
      }
    } catch (error) {
      this.error = TelltaleError.from(error);
      this.#tell();
    } finally {
      this.#isLoading = false;
    }
  }

  /** What follows of a page: one at the end of a run that goes on is asked for again as it grows. */
  async #loadPage(page: number): Promise<void> {
    const known = this.#pages.get(page);
    const after = known?.through ?? firstOf(page) - 1;
    // Beyond what is in the log a server tells of nothing: what is there now is asked for.
    const through = Math.min(lastOf(page), this.#last);
    const { events } = await this.#client.events(this.#runId, {
      after: formatCursor(this.#epoch, after),
      limit: through - after,
    });
    const own = events.filter(({ seq }) => seq <= through).map((event) => [event.seq, event] as const);
    this.#pages.delete(page);
    this.#pages.set(page, { events: new Map([...(known?.events ?? []), ...own]), through });
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MOST_PAGES) break;
      this.#pages.delete(oldest);
    }
    this.#tell();
  }

  #tell(): void {
    this.#version++;
    for (const listener of this.#listeners) listener();
  }
}

const pageOf = (seq: number): number => Math.floor((seq - 1) / PAGE);
const firstOf = (page: number): number => page * PAGE + 1;
const lastOf = (page: number): number => (page + 1) * PAGE;
