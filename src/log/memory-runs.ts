import type { AppendFacts, Commit, ProducerEntry } from './append.ts';
import type { AppendOptions, RunQuery, RunRecord, Tombstone } from './log.ts';
import { RemoteLeases } from './remote-leases.ts';
import { comparePlaces, formatPlace, matchesQuery, parsePlace, type RunPlace } from './run-query.ts';
import type { KnownRun } from './tombstone.ts';

interface Run {
  record: RunRecord;
  readonly producers: Map<string, Producer>;
}

interface Producer {
  newest: ProducerEntry;
  /** By epoch and seq. Kept as long as the run: a retry may come late. */
  readonly entries: Map<string, ProducerEntry>;
}

/** The runs of a log in memory, with what their producers have appended. */
export class MemoryRuns {
  readonly #runs = new Map<string, Run>();
  readonly #erased = new Map<string, Tombstone>();
  /** Oldest first. */
  readonly #order: RunPlace[] = [];
  readonly #leases = new RemoteLeases();

  get(runId: string): KnownRun | undefined {
    return this.#runs.get(runId)?.record ?? this.#erased.get(runId);
  }

  /** Forgets all but the tombstone. */
  erase(tombstone: Tombstone): void {
    const run = this.#runs.get(tombstone.runId);
    this.#erased.set(tombstone.runId, tombstone);
    if (!run) return;
    this.#runs.delete(tombstone.runId);
    this.#order.splice(this.#placeBefore(run.record), 1);
  }

  facts({ runId, producer: key }: AppendOptions): Pick<AppendFacts, 'run' | 'newest' | 'earlier'> {
    const run = this.#runs.get(runId);
    const producer = key && run?.producers.get(key.id);
    return {
      run: this.get(runId),
      newest: producer?.newest,
      earlier: key && producer?.entries.get(`${key.epoch}.${key.seq}`),
    };
  }

  commit({ run: record, producer: entry }: Commit): void {
    let run = this.#runs.get(record.runId);
    this.#leases.note(record);
    if (run) run.record = record;
    else {
      run = { record, producers: new Map() };
      this.#runs.set(record.runId, run);
      const { createdAt, runId } = record;
      this.#order.splice(this.#placeBefore(record), 0, { createdAt, runId });
    }
    if (!entry) return;
    const producer = run.producers.get(entry.id) ?? { newest: entry, entries: new Map() };
    producer.newest = entry;
    producer.entries.set(`${entry.epoch}.${entry.seq}`, entry);
    run.producers.set(entry.id, producer);
  }

  list(query: RunQuery): { runs: RunRecord[]; next?: string } {
    const runs: RunRecord[] = [];
    let index = query.before === undefined ? this.#order.length : this.#placeBefore(parsePlace(query.before));
    while (index > 0) {
      const { record } = this.#runs.get((this.#order[--index] as RunPlace).runId) as Run;
      if (!matchesQuery(query, record)) continue;
      // One more than asked for was found: there is a next page.
      if (runs.length === query.limit) return { runs, next: formatPlace(runs[runs.length - 1] as RunRecord) };
      runs.push(record);
    }
    return { runs };
  }

  /** Takes the leases over that ran out. */
  takeExpired(now: number): RunRecord[] {
    return this.#leases.take(now).map((runId) => {
      const run = this.#runs.get(runId) as Run;
      run.record = { ...run.record, fence: run.record.fence + 1 };
      return run.record;
    });
  }

  clear(): void {
    this.#leases.clear();
    this.#runs.clear();
    this.#erased.clear();
    this.#order.length = 0;
  }

  /** How many runs stand before this place. Searched from the end, where new runs go. */
  #placeBefore(place: RunPlace): number {
    return this.#order.findLastIndex((it) => comparePlaces(it, place) < 0) + 1;
  }
}
