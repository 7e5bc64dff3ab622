import type { Head } from '../../protocol/index.ts';
import { isTombstone, type KnownRun, RemoteLeases, type RunRecord } from '../index.ts';
import type { Archive } from './archive.ts';
import type { Journal } from './journal.ts';
import { runKey, threadKey } from './keys.ts';
import { ask, Layer } from './layer.ts';
import type { Recovered } from './recover.ts';
import { headUnder, type StoredRun, type StoredThread } from './stored.ts';

/** What was read back from the disk. */
type Committed = Pick<Recovered, 'archive' | 'journal' | 'incarnations' | 'layer'>;

/** What is committed, wherever it is: in memory since the last checkpoint, else in the archive. Only `Writer` changes it. */
export class Store {
  archive: Archive;
  journal: Journal;
  incarnations: readonly string[];
  /** What the current journal segment holds. */
  live: Layer;
  /** What is on its way into the archive. */
  flushing: Layer | undefined;
  /** Counts what makes earlier looks into the archive worthless: moves into it, cuts, repairs. */
  generation = 0;
  /** Of the open runs of remote producers. */
  readonly leases = new RemoteLeases();
  /** Leases that were taken over; an append under one writes it down. */
  readonly #fences = new Map<string, number>();

  constructor({ archive, journal, incarnations, layer }: Committed) {
    this.archive = archive;
    this.journal = journal;
    this.incarnations = incarnations;
    this.live = layer;
  }

  /** Newest first. */
  get layers(): readonly Layer[] {
    return this.flushing ? [this.live, this.flushing] : [this.live];
  }

  /** Goes on with what was read back from the disk. */
  replace({ archive, journal, incarnations, layer }: Committed): void {
    this.archive = archive;
    this.journal = journal;
    this.incarnations = incarnations;
    this.live = layer;
    this.flushing = undefined;
    this.generation++;
  }

  /** Begins to move what is in memory into the archive; `flushed` ends it. */
  beginFlush(): Layer {
    this.flushing = this.live;
    this.live = new Layer();
    return this.flushing;
  }

  flushed(): void {
    this.flushing = undefined;
    this.generation++;
  }

  /** A thread's head if memory knows it. */
  headInMemory(threadId: string): Head | undefined {
    const thread = ask(this.layers, (layer) => layer.threads.get(threadId));
    return thread && headUnder(this.incarnations, threadId, thread);
  }

  async head(threadId: string): Promise<Head | undefined> {
    const known = this.headInMemory(threadId);
    if (known) return known;
    const stored = await this.#look(
      () => this.archive.get<StoredThread>(threadKey(threadId)),
      () => ask(this.layers, (layer) => layer.threads.get(threadId)),
    );
    return stored && headUnder(this.incarnations, threadId, stored);
  }

  async run(runId: string): Promise<KnownRun | undefined> {
    const inMemory = () => ask(this.layers, (layer) => layer.runs.get(runId));
    const inArchive = async () => (await this.archive.get<StoredRun>(runKey(runId)))?.record;
    return this.fenced(inMemory() ?? (await this.#look(inArchive, inMemory)));
  }

  /** Passes the lease on a run on to the next who writes. */
  takeLease(run: RunRecord): RunRecord {
    this.#fences.set(run.runId, run.fence + 1);
    return { ...run, fence: run.fence + 1 };
  }

  /** The record with the lease that counts. */
  fenced<Run extends KnownRun | undefined>(run: Run): Run {
    const fence = run && !isTombstone(run) ? this.#fences.get(run.runId) : undefined;
    return fence === undefined ? run : { ...run, fence };
  }

  /** Looks into the archive, and again where it changed meanwhile; what came into memory meanwhile is newer. */
  async #look<T>(inArchive: () => Promise<T | undefined>, inMemory: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const { generation } = this;
      const found = await inArchive();
      const newer = inMemory();
      if (newer !== undefined) return newer;
      if (generation === this.generation) return found;
    }
  }
}
