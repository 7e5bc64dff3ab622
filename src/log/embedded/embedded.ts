import type { EncodedEvent } from '../../protocol/index.ts';
import { encodeEvent, type Head, isEnded, TelltaleError } from '../../protocol/index.ts';
import type { Ack, AppendOptions, Leases, Log, Page, Retention, RunIndex, RunRecord, Wake } from '../index.ts';
import { cutThread } from './cut.ts';
import type { Damage } from './damage.ts';
import { Followers } from './followers.ts';
import { Maintenance } from './maintenance.ts';
import { readPage } from './reader.ts';
import { recover } from './recover.ts';
import type { LostEnd } from './repair.ts';
import { listRuns } from './run-lists.ts';
import { Store } from './store.ts';
import { Writer } from './writer.ts';

const PAGE_BYTES = 256 * 1024;

/** The embedded log over one opened directory. */
export class EmbeddedLog implements Log {
  readonly durability = 'disk';
  readonly #store: Store;
  readonly #maintenance: Maintenance;
  readonly #writer: Writer;
  readonly #followers = new Followers();
  readonly #tell: (damage: Damage) => void;
  /** Of the process before this one. */
  #orphans: readonly RunRecord[];
  #closing: Promise<void> | undefined;

  private constructor(
    store: Store,
    maintenance: Maintenance,
    orphans: readonly RunRecord[],
    tell: (damage: Damage) => void,
  ) {
    this.#store = store;
    this.#maintenance = maintenance;
    this.#orphans = orphans;
    this.#tell = tell;
    this.#writer = new Writer(store, maintenance, (threadId, block) =>
      this.#followers.wake(threadId, { epoch: block.epoch, last: block.last, block }),
    );
  }

  /** `segmentBytes`: the size at which a journal segment is moved into the archive. */
  static async open(dir: string, segmentBytes: number, tell: (damage: Damage) => void): Promise<EmbeddedLog> {
    const recovered = await recover(dir, tell);
    const store = new Store(recovered);
    const maintenance = new Maintenance(store, dir, segmentBytes, tell);
    const log = new EmbeddedLog(store, maintenance, recovered.leased, tell);
    await log.#endAnew(recovered.lostEnds);
    return log;
  }

  readonly runs: RunIndex = {
    get: (runId) => this.#read(() => this.#store.run(runId)),
    list: (query) => this.#read(() => listRuns(this.#store, query)),
  };

  readonly leases: Leases = {
    renew: async (runId, fence) => {
      const run = await this.runs.get(runId);
      if (!run) throw new TelltaleError('run_not_found', `There is no run ${runId}.`, { runId });
      if (run.fence !== fence) {
        throw new TelltaleError('lease_fenced', `Lease ${fence} on run ${runId} has passed on.`, { runId });
      }
      if (isEnded(run.status)) {
        throw new TelltaleError('run_closed', `Run ${runId} has ended (${run.status}).`, { runId });
      }
    },
    takeExpired: async () => {
      this.#checkOpen();
      const orphans = this.#orphans;
      this.#orphans = [];
      const runs = await Promise.all(orphans.map(({ runId }) => this.runs.get(runId)));
      return runs.flatMap((run) => (run && !isEnded(run.status) ? this.#store.takeLease(run) : []));
    },
  };

  readonly retention: Retention = {
    trim: async (threadId, through) => {
      this.#checkOpen();
      return this.#exclusively(() => this.#trim(threadId, through));
    },
  };

  async append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
    this.#checkOpen();
    return this.#writer.append(threadId, batch, options);
  }

  read(threadId: string, after: number, bytes: number = PAGE_BYTES): Promise<Page> {
    return this.#read(() => readPage(this.#store, threadId, after, bytes, () => this.#cut(threadId)));
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
    // What cannot be moved now stays in the journal, and is read from there at the next start.
    await this.#maintenance.flush().catch(() => {});
    await this.#maintenance.settled();
    this.#followers.clear();
    await this.#store.journal.close().catch(() => {});
    await this.#store.archive.close();
  }

  #checkOpen(): void {
    if (this.#closing) throw new TelltaleError('log_closed', 'The log was closed');
  }

  /** Reads. What the archive could not answer is tried again once it was opened anew: later, by whoever asks then. */
  async #read<T>(read: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    try {
      return await read();
    } catch (error) {
      if (error instanceof TelltaleError && error.code !== 'store_damaged') throw error;
      this.#checkOpen();
      return await this.#maintenance.reading(() => Promise.reject(error)).finally(() => this.#healSoon());
    }
  }

  #healSoon(): void {
    this.#exclusively(() => this.#maintenance.ready()).catch(() => {});
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

  /** Blocks of this thread are missing or wrong: ends it before them. */
  async #cut(threadId: string): Promise<void> {
    const lostEnds = await this.#exclusively(async () => {
      await this.#maintenance.flush();
      return this.#maintenance.reading(() => cutThread(this.#store, threadId, this.#tell));
    });
    const head = await this.#store.head(threadId);
    if (head) this.#followers.wake(threadId, { epoch: head.epoch, last: head.last });
    await this.#endAnew(lostEnds);
  }

  /** Exactly one terminal event per run, also where it was lost: whoever waits for it would wait for ever. */
  async #endAnew(lostEnds: readonly LostEnd[]): Promise<void> {
    const message = 'The end of this run was lost with a damaged part of the log';
    const data = { error: { code: 'log_damaged', message } };
    for (const { threadId, runId } of lostEnds) {
      const time = new Date().toISOString();
      const event = encodeEvent({ type: 'run.failed', data }, { threadId, runId, time });
      await this.#writer.append(threadId, [event], { runId, closes: true }).catch((error: unknown) => {
        // Lost with its beginning, or ended by somebody else meanwhile.
        if (!(error instanceof TelltaleError) || error.retryable) throw error;
      });
    }
  }
}
