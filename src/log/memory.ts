/**
 * The log in this process's memory: for tests and servers that may forget. Everything is decided and stored within the
 * call of `append`; what the process held is gone with it, so there is no lease to take over.
 */
import { type Block, type EncodedEvent, type Head, newEpoch, TelltaleError } from '../protocol/index.ts';
import { type Commit, decideAppend } from './append.ts';
import { blockAfter, indexAfter, mergeBlocks, pageBytes } from './blocks.ts';
import { buildBlock } from './build-block.ts';
import { checkLease } from './check-lease.ts';
import { ALL_RUNS, Followers } from './followers.ts';
import type { Ack, AppendOptions, Leases, Log, Page, Retention, RunChange, RunIndex, Wake } from './log.ts';
import { MemoryRuns } from './memory-runs.ts';
import { checkAlive, tombstoneOf } from './tombstone.ts';
import { voidRun } from './void-run.ts';

/** Opens an empty log in memory. */
export function openMemory(): Log {
  return new MemoryLog();
}

interface Thread {
  head: Head;
  readonly blocks: Block[];
  /** Blocks appended since some were last merged. */
  small: number;
  readonly decided: Map<string, number>;
}

/** So many small blocks become one: a reader of an old run gets few large pieces, and each event is copied once. */
const MERGE_AT = 64;
const PAGE_BYTES = 256 * 1024;

class MemoryLog implements Log {
  readonly durability = 'memory';
  readonly #threads = new Map<string, Thread>();
  readonly #runs = new MemoryRuns();
  readonly #followers = new Followers();
  readonly #runFollowers = new Followers<RunChange>();
  #closed = false;

  readonly runs: RunIndex = {
    get: async (runId) => {
      this.#checkOpen();
      return checkAlive(this.#runs.get(runId));
    },
    list: async (query) => {
      this.#checkOpen();
      return this.#runs.list(query);
    },
    follow: async (listener) => {
      this.#checkOpen();
      return this.#runFollowers.add(ALL_RUNS, listener);
    },
  };

  readonly leases: Leases = {
    renew: async (runId, fence) => {
      this.#checkOpen();
      checkLease(this.#runs.get(runId), runId, fence);
    },
    takeExpired: async (now = Date.now()) => {
      this.#checkOpen();
      return this.#runs.takeExpired(now);
    },
  };

  readonly retention: Retention = {
    trim: async (threadId, through) => {
      const thread = this.#thread(threadId);
      trim(thread, Math.min(through, thread.head.last - 1));
    },
    erase: async (runId) => {
      this.#checkOpen();
      const tombstone = tombstoneOf(this.#runs.get(runId), runId);
      const { head, blocks } = this.#thread(tombstone.threadId);
      for (const [i, block] of blocks.entries()) blocks[i] = voidRun(block, runId);
      this.#runs.erase(tombstone);
      this.#followers.wake(tombstone.threadId, { epoch: head.epoch, last: head.last, erased: runId });
      this.#runFollowers.wake(ALL_RUNS, { runId });
    },
  };

  async append(threadId: string, batch: readonly EncodedEvent[], options: AppendOptions): Promise<Ack> {
    this.#checkOpen();
    const thread = this.#threads.get(threadId);
    const facts = {
      head: thread?.head,
      ...this.#runs.facts(options),
      decidedAt: options.once === undefined ? undefined : thread?.decided.get(options.once),
    };
    const decision = decideAppend(threadId, batch, options, facts, newEpoch);
    if ('duplicate' in decision) return decision.duplicate;
    const { ack } = decision;
    const block = buildBlock(ack.epoch, ack.first, batch);
    this.#commit(threadId, thread, decision, block);
    this.#followers.wake(threadId, { epoch: ack.epoch, last: ack.last, block });
    this.#runFollowers.wake(ALL_RUNS, { runId: decision.run.runId, run: decision.run });
    return ack;
  }

  async read(threadId: string, after: number, bytes: number = PAGE_BYTES): Promise<Page> {
    const { head, blocks } = this.#thread(threadId);
    const page: Block[] = [];
    let size = 0;
    for (let i = indexAfter(blocks, after, lastOf); i < blocks.length && (size < bytes || page.length === 0); i++) {
      const block = blockAfter(blocks[i] as Block, after);
      page.push(block);
      size += pageBytes(block);
    }
    return { head, blocks: page };
  }

  async follow(threadId: string, listener: (wake: Wake) => void): Promise<() => void> {
    this.#checkOpen();
    return this.#followers.add(threadId, listener);
  }

  async head(threadId: string): Promise<Head | undefined> {
    this.#checkOpen();
    return this.#threads.get(threadId)?.head;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#threads.clear();
    this.#runs.clear();
    this.#followers.clear();
    this.#runFollowers.clear();
  }

  #checkOpen(): void {
    if (this.#closed) throw new TelltaleError('log_closed', 'The log was closed');
  }

  #thread(threadId: string): Thread {
    this.#checkOpen();
    const thread = this.#threads.get(threadId);
    if (thread) return thread;
    throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
  }

  #commit(threadId: string, known: Thread | undefined, commit: Commit, block: Block): void {
    const thread: Thread = known ?? { head: commit.head, blocks: [], small: 0, decided: new Map() };
    if (!known) this.#threads.set(threadId, thread);
    thread.head = commit.head;
    thread.blocks.push(block);
    if (++thread.small === MERGE_AT) {
      thread.blocks.push(mergeBlocks(thread.blocks.splice(-MERGE_AT)));
      thread.small = 0;
    }
    if (commit.once) thread.decided.set(commit.once.key, commit.once.seq);
    this.#runs.commit(commit);
  }
}

const lastOf = ({ last }: Block): number => last;

function trim(thread: Thread, through: number): void {
  if (through < thread.head.first) return;
  const { blocks } = thread;
  blocks.splice(0, indexAfter(blocks, through, lastOf));
  const [front] = blocks;
  // A copy, not a slice: what is forgotten shall not stay in memory under what is kept.
  if (front && front.first <= through) blocks[0] = mergeBlocks([blockAfter(front, through)]);
  thread.head = { ...thread.head, first: through + 1 };
}
