import { type EncodedEvent, encodeEvent, type Head, isEnded, TelltaleError } from '../../protocol/index.ts';
import {
  type Ack,
  ALL_RUNS,
  type AppendOptions,
  checkAlive,
  checkLease,
  Followers,
  isAlive,
  type Leases,
  type Log,
  type Page,
  type Retention,
  type RunChange,
  type RunIndex,
  type RunRecord,
  tombstoneOf,
  type Wake,
} from '../index.ts';
import { Maintenance, type StoreOptions } from './maintenance.ts';
import { readPage } from './reader.ts';
import { type Recovered, recover } from './recover.ts';
import type { LostEnd } from './repair.ts';
import { listRuns } from './run-lists.ts';
import { Store } from './store.ts';
import { noteClosed } from './unclean.ts';
import { Writer } from './writer.ts';

const PAGE_BYTES = 256 * 1024;

/** The embedded log over one opened directory. */
export class EmbeddedLog implements Log {
  readonly durability = 'disk';
  readonly #dir: string;
  readonly #store: Store;
  readonly #maintenance: Maintenance;
  readonly #writer: Writer;
  readonly #followers = new Followers();
  readonly #runFollowers = new Followers<RunChange>();
  /** Runs that an executor of the process before this one held. */
  #orphans: readonly RunRecord[];
  #lostEnds: LostEnd[] = [];
  /** Those that are not settled: the archive stays open for them. */
  readonly #erasures = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;

  private constructor(recovered: Recovered, options: StoreOptions) {
    this.#store = new Store(recovered);
    this.#dir = options.dir;
    this.#orphans = recovered.leased.filter(({ leased }) => leased);
    for (const run of recovered.leased) this.#store.leases.note(run);
    this.#maintenance = new Maintenance(this.#store, options, (lostEnds) => void this.#healed(lostEnds));
    this.#writer = new Writer(this.#store, this.#maintenance, ({ threadId, block, commit: { run } }) => {
      this.#followers.wake(threadId, { epoch: block.epoch, last: block.last, block });
      this.#runFollowers.wake(ALL_RUNS, { runId: run.runId, run });
    });
  }

  static async open(options: StoreOptions): Promise<EmbeddedLog> {
    const recovered = await recover(options.dir, options.tell);
    const log = new EmbeddedLog(recovered, options);
    await log.#endAnew(recovered.lostEnds);
    return log;
  }

  readonly runs: RunIndex = {
    get: async (runId) => checkAlive(await this.#read(() => this.#store.run(runId))),
    list: (query) => this.#read(() => listRuns(this.#store, query)),
    follow: async (listener) => {
      this.#checkOpen();
      return this.#runFollowers.add(ALL_RUNS, listener);
    },
  };

  readonly leases: Leases = {
    renew: async (runId, fence) => {
      checkLease(await this.runs.get(runId), runId, fence);
    },
    takeExpired: async (now = Date.now()) => {
      this.#checkOpen();
      const lost = [...this.#orphans.map(({ runId }) => runId), ...this.#store.leases.take(now)];
      this.#orphans = [];
      const runs = await Promise.all(lost.map((runId) => this.#read(() => this.#store.run(runId))));
      const alive = runs.filter((run) => run !== undefined).filter(isAlive);
      return alive.flatMap((run) => (isEnded(run.status) ? [] : this.#store.takeLease(run)));
    },
  };

  readonly retention: Retention = {
    trim: async (threadId, through) => {
      this.#checkOpen();
      return this.#exclusively(() => this.#trim(threadId, through));
    },
    erase: async (runId) => {
      this.#checkOpen();
      const erasure = this.#exclusively(() => this.#erase(runId)).then((finish) => finish());
      this.#erasures.add(erasure);
      await erasure.finally(() => this.#erasures.delete(erasure));
    },
  };

  async append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
    this.#checkOpen();
    if (this.#writer.isFull) {
      throw new TelltaleError(
        'overloaded',
        'Too much waits for the disk. Nothing was stored; send it again in a moment.',
      );
    }
    return this.#writer.append(threadId, batch, options);
  }

  read(threadId: string, after: number, bytes: number = PAGE_BYTES): Promise<Page> {
    return this.#read(() => readPage(this.#store, threadId, after, Math.max(1, bytes)));
  }

  async follow(threadId: string, listener: (wake: Wake) => void): Promise<() => void> {
    this.#checkOpen();
    return this.#followers.add(threadId, listener);
  }

  head(threadId: string): Promise<Head | undefined> {
    return this.#read(() => this.#store.head(threadId));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.drain();
    await Promise.allSettled(this.#erasures);
    // What cannot be moved now stays in the journal, and is read from there at the next start.
    await this.#maintenance.flush().catch(() => {});
    await this.#maintenance.settled();
    this.#followers.clear();
    this.#runFollowers.clear();
    await this.#store.journal.close().catch(() => {});
    await this.#store.archive.close();
    await noteClosed(this.#dir);
  }

  #checkOpen(): void {
    if (this.#closing) throw new TelltaleError('log_closed', 'The log was closed');
  }

  /** Reads; once more where the archive had to be opened anew for it. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await this.#maintenance.reading(read);
    } catch (error) {
      this.#checkOpen();
      if (!(error instanceof TelltaleError) || !error.retryable) throw error;
      await this.#exclusively(async () => {});
      return await this.#maintenance.reading(read);
    }
  }

  async #exclusively<T>(job: () => Promise<T>): Promise<T> {
    return this.#writer.exclusively(async () => {
      try {
        await this.#maintenance.ready();
        return await job();
      } catch (error) {
        if (error instanceof TelltaleError && !error.retryable) throw error;
        throw this.#maintenance.failed(error);
      }
    });
  }

  async #trim(threadId: string, through: number): Promise<void> {
    const head = await this.#store.head(threadId);
    if (!head) throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
    const first = Math.min(through, head.last - 1) + 1;
    if (first <= head.first) return;
    const { incarnations, journal, live } = this.#store;
    const entry = { threadId, incarnation: incarnations[incarnations.length - 1]!, head: { ...head, first } };
    await journal.commit([entry]);
    live.add(entry);
    this.#store.generation++;
  }

  /** Erased for every reader when it resolves; what it resolves to takes it off the disk. */
  async #erase(runId: string): Promise<() => Promise<void>> {
    const tombstone = tombstoneOf(await this.#store.run(runId), runId);
    const { threadId } = tombstone;
    const { incarnations } = this.#store;
    const { epoch, last } = (await this.#store.head(threadId)) ?? { epoch: '', last: tombstone.last };
    const entry = { threadId, incarnation: incarnations[incarnations.length - 1]!, tombstone };
    return this.#maintenance.erase(entry, () => {
      this.#followers.wake(threadId, { epoch, last, erased: runId });
      this.#runFollowers.wake(ALL_RUNS, { runId });
    });
  }

  /** The heads may say something else now; whoever follows had better look. */
  async #healed(lostEnds: readonly LostEnd[]): Promise<void> {
    await this.#endAnew(lostEnds);
    for (const threadId of this.#followers.threads) {
      const head = await this.head(threadId).catch(() => undefined);
      if (head) this.#followers.wake(threadId, { epoch: head.epoch, last: head.last });
    }
  }

  /**
   * Exactly one terminal event per run, also where it was lost: whoever waits for it would wait for ever. What cannot be
   * written now is tried again when the store has come back.
   */
  async #endAnew(lostEnds: readonly LostEnd[]): Promise<void> {
    const ends = [...this.#lostEnds, ...lostEnds];
    this.#lostEnds = [];
    for (const end of ends) {
      try {
        await this.#writer.append(end.threadId, [lostEndEvent(end)], { runId: end.runId, closes: true });
      } catch (error) {
        // Otherwise it was lost with its beginning, or somebody has ended it meanwhile.
        if (TelltaleError.from(error).retryable) this.#lostEnds.push(end);
      }
    }
  }
}

function lostEndEvent(run: LostEnd): EncodedEvent {
  const message = 'The end of this run was lost with a damaged part of the log';
  const data = { error: { code: 'log_damaged', message } };
  return encodeEvent({ type: 'run.failed', data }, { ...run, time: new Date().toISOString() });
}
