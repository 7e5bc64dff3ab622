import { setImmediate as turn } from 'node:timers/promises';
import { type EncodedEvent, newEpoch, TelltaleError } from '../../protocol/index.ts';
import { type Ack, type AppendOptions, buildBlock, type Commit, decideAppend } from '../index.ts';
import type { BatchEntry } from './entry.ts';
import { ArchivedFacts, factsOf } from './facts.ts';
import { Layer } from './layer.ts';
import type { Maintenance } from './maintenance.ts';
import type { Store } from './store.ts';

interface Append {
  readonly threadId: string;
  readonly batch: readonly EncodedEvent[];
  readonly options: AppendOptions;
  readonly bytes: number;
  readonly resolve: (ack: Ack) => void;
  readonly reject: (error: TelltaleError) => void;
}

type SealedEntry = BatchEntry & { readonly commit: Commit };

/** One commit carries at most so many appends: what comes later waits for the next, and nobody for long. */
const GROUP_APPENDS = 4096;
const GROUP_BYTES = 4 * 1024 * 1024;
/** So many bytes may wait for the disk: a disk that does not answer must not fill the memory. */
const WAITING_BYTES = 64 * 1024 * 1024;
/** What an append takes beside its events, in memory as on the disk: about so much. */
const APPEND_BYTES = 1024;

/**
 * Takes appends in their order and commits them in groups: everything that came while the commit before was on its way
 * to the disk becomes the next one. Numbers, repeats, closed runs and fences are decided when a group is sealed, on top
 * of what is committed; a commit that fails takes its decisions with it.
 */
export class Writer {
  readonly #store: Store;
  readonly #maintenance: Maintenance;
  readonly #committed: (entry: SealedEntry) => void;
  readonly #queue: Append[] = [];
  /** Of all appends that are not settled. */
  #waitingBytes = 0;
  readonly #jobs: (() => Promise<void>)[] = [];
  #running = false;

  /** @param committed is told of every append that has become durable, in order. */
  constructor(store: Store, maintenance: Maintenance, committed: (entry: SealedEntry) => void) {
    this.#store = store;
    this.#maintenance = maintenance;
    this.#committed = committed;
  }

  /** True where so much waits that nothing more should be accepted. What the store itself has to write still is. */
  get isFull(): boolean {
    return this.#waitingBytes >= WAITING_BYTES;
  }

  append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
    const bytes = batch.reduce((sum, event) => sum + event.bytes, APPEND_BYTES);
    this.#waitingBytes += bytes;
    return new Promise<Ack>((resolve, reject) => {
      this.#queue.push({ threadId, batch, options, bytes, resolve, reject });
      this.#start();
    }).finally(() => {
      this.#waitingBytes -= bytes;
    });
  }

  /** Runs between two commits, soon; at the end of the turn it was called in at the earliest. */
  exclusively<T>(job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.push(() => job().then(resolve, reject));
      this.#start();
    });
  }

  /** Resolves when everything that was called before is settled. */
  async drain(): Promise<void> {
    do await this.exclusively(async () => {});
    while (this.#queue.length > 0 || this.#jobs.length > 0);
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    // What the rest of this turn appends goes into the same commit.
    await turn();
    while (this.#queue.length > 0 || this.#jobs.length > 0) {
      if (this.#queue.length > 0) await this.#commit(this.#take());
      await this.#jobs.shift()?.();
    }
    this.#running = false;
  }

  #take(): Append[] {
    let bytes = 0;
    let n = 0;
    while (n < this.#queue.length && n < GROUP_APPENDS && bytes < GROUP_BYTES) {
      bytes += this.#queue[n++]!.bytes;
    }
    return this.#queue.splice(0, n);
  }

  async #commit(group: readonly Append[]): Promise<void> {
    try {
      await this.#maintenance.ready(group.reduce((sum, { bytes }) => sum + bytes, 0));
      const settle = await this.#seal(group);
      settle();
      await this.#maintenance.afterCommit();
    } catch (error) {
      const reason = this.#maintenance.failed(error);
      for (const { reject } of group) reject(reason);
    }
  }

  /** Decides and commits a group. What it returns tells everybody, of refusals too: they rest on the same commit. */
  async #seal(group: readonly Append[]): Promise<() => void> {
    const store = this.#store;
    const committed = store.layers;
    const archived = await this.#maintenance.reading(() => ArchivedFacts.gather(store.archive, committed, group));
    const sealed = new Layer();
    const layers = [sealed, ...committed];
    const entries: SealedEntry[] = [];
    const outcomes = group.map((append) => {
      const { threadId, batch, options, resolve, reject } = append;
      try {
        const facts = factsOf(append, layers, archived, store.incarnations);
        const decision = decideAppend(threadId, batch, options, { ...facts, run: store.fenced(facts.run) }, newEpoch);
        if ('duplicate' in decision) return () => resolve(decision.duplicate);
        const { ack } = decision;
        const incarnation = store.incarnations[store.incarnations.length - 1]!;
        const block = buildBlock(ack.epoch, ack.first, batch);
        const entry = { threadId, incarnation, commit: decision, block };
        sealed.add(entry);
        entries.push(entry);
        return () => resolve(ack);
      } catch (error) {
        return () => reject(TelltaleError.from(error));
      }
    });
    if (entries.length > 0) await store.journal.commit(entries);
    return () => {
      for (const entry of entries) {
        store.live.add(entry);
        store.leases.note(entry.commit.run);
      }
      for (const outcome of outcomes) outcome();
      for (const entry of entries) this.#committed(entry);
    };
  }
}
