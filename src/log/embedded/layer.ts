import type { Block } from '../../protocol/index.ts';
import { type KnownRun, type ProducerEntry, type Tombstone, voidRun } from '../index.ts';
import { type BatchEntry, isBatch, isErasure, type JournalEntry } from './entry.ts';
import { onceKey, producerEpochOf } from './keys.ts';
import type { StoredThread } from './stored.ts';

/** What the journal holds and the archive does not yet: the newest word on all that it names. */
export class Layer {
  readonly threads = new Map<string, StoredThread>();
  readonly batches = new Map<string, BatchEntry[]>();
  readonly runs = new Map<string, KnownRun>();
  /** The newest append of each producer to a run, by `producerName`. */
  readonly newest = new Map<string, ProducerEntry>();
  /** Consecutive appends of one producer, by run, id and epoch (`producerEpochOf`). */
  readonly producers = new Map<string, { readonly runId: string; readonly entries: ProducerEntry[] }>();
  /** By `onceKey`. */
  readonly once = new Map<string, number>();
  /** Threads that forgot events which the archive may still have. */
  readonly trimmed = new Set<string>();
  /** Runs that were erased, of which the archive may still have everything, by thread. */
  readonly erased = new Map<string, Tombstone[]>();

  get isEmpty(): boolean {
    return this.threads.size === 0 && this.runs.size === 0;
  }

  add(entry: JournalEntry): void {
    const { threadId, incarnation } = entry;
    if (isErasure(entry)) {
      this.#erase(entry.tombstone);
      return;
    }
    if (!isBatch(entry)) {
      this.threads.set(threadId, { head: entry.head, incarnation });
      this.trimmed.add(threadId);
      return;
    }
    const { head, run, producer, once } = entry.commit;
    this.threads.set(threadId, { head, incarnation });
    this.runs.set(run.runId, run);
    const batches = this.batches.get(threadId);
    if (batches) batches.push(entry);
    else this.batches.set(threadId, [entry]);
    if (once) this.once.set(onceKey(threadId, once.key), once.seq);
    if (!producer) return;
    this.newest.set(producerName(run.runId, producer.id), producer);
    const key = producerEpochOf(run.runId, producer.id, producer.epoch);
    const known = this.producers.get(key);
    if (known) known.entries.push(producer);
    else this.producers.set(key, { runId: run.runId, entries: [producer] });
  }

  /** The append `seq` of a producer, where this layer has it. */
  producerEntry(runId: string, id: string, epoch: number, seq: number): ProducerEntry | undefined {
    const entries = this.producers.get(producerEpochOf(runId, id, epoch))?.entries;
    return entries?.[seq - entries[0]!.seq];
  }

  /** The thread's blocks here, oldest first. */
  blocks(threadId: string): Block[] {
    return (this.batches.get(threadId) ?? []).map(({ block }) => block);
  }

  /** A block of the archive without what was erased here. */
  withoutErased(threadId: string, block: Block): Block {
    return (this.erased.get(threadId) ?? []).reduce((left, { runId }) => voidRun(left, runId), block);
  }

  #erase(tombstone: Tombstone): void {
    const { runId, threadId } = tombstone;
    this.runs.set(runId, tombstone);
    this.erased.set(threadId, [...(this.erased.get(threadId) ?? []), tombstone]);
    const batches = this.batches.get(threadId) ?? [];
    for (const [i, { block, commit, ...about }] of batches.entries()) {
      if (commit.run.runId !== runId) continue;
      const { producer: _, ...left } = commit;
      batches[i] = { ...about, block: voidRun(block, runId), commit: { ...left, run: tombstone } };
    }
    for (const name of this.newest.keys()) if (name.startsWith(producerName(runId, ''))) this.newest.delete(name);
    for (const [key, producer] of this.producers) if (producer.runId === runId) this.producers.delete(key);
  }
}

/** The id comes last: it may contain anything. */
export const producerName = (runId: string, id: string): string => `${runId} ${id}`;

/** The first answer of several layers, the newest of which is asked first. */
export function ask<T>(layers: readonly Layer[], question: (layer: Layer) => T | undefined): T | undefined {
  for (const layer of layers) {
    const answer = question(layer);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
