import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { TelltaleError } from '../../protocol/index.ts';
import { checkpoint } from './checkpoint.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { diskError, isCorruption } from './disk-error.ts';
import type { EraseEntry } from './entry.ts';
import { purgeRun } from './erase.ts';
import { Journal, retireSegments } from './journal.ts';
import { recover } from './recover.ts';
import type { LostEnd } from './repair.ts';
import { replayJournal } from './replay.ts';
import type { Store } from './store.ts';

export interface StoreOptions {
  readonly dir: string;
  /** The size at which a journal segment is moved into the archive. */
  readonly segmentBytes: number;
  readonly tell: (damage: Damage) => void;
}

/** No more than one attempt to come back in so many milliseconds; it reads the journal back, 100 ms of work at worst. */
const HEAL_EVERY_MS = 250;

/**
 * Keeps a store fit to be written to: moves full journal segments into the archive, and after a failure takes nothing
 * until everything was read back from the disk. Runs within the writer's turns, so never beside a commit.
 */
export class Maintenance {
  readonly #store: Store;
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #tell: (damage: Damage) => void;
  readonly #healed: (lostEnds: readonly LostEnd[]) => void;
  #flush: Promise<void> = Promise.resolve();
  #failure: TelltaleError | undefined;
  /** LevelDB failed: what it says from then on is not to be trusted. */
  #archiveFailed = false;
  /** What is wrong with LevelDB's data, if something is. */
  #archiveDamage: string | undefined;
  #lastAttempt = Number.NEGATIVE_INFINITY;

  /** @param healed is told when the store has come back, and of runs whose end was lost on the way. */
  constructor(store: Store, { dir, segmentBytes, tell }: StoreOptions, healed: (lostEnds: readonly LostEnd[]) => void) {
    this.#store = store;
    this.#dir = dir;
    this.#segmentBytes = segmentBytes;
    this.#tell = tell;
    this.#healed = healed;
  }

  /** Notes that a write failed, and says it as one of our errors. */
  failed(error: unknown): TelltaleError {
    this.#failure ??= diskError(error);
    return diskError(error);
  }

  /** Runs something that reads the archive; if that fails, the archive has to be opened anew (`ready`). */
  async reading<T>(read: () => Promise<T>): Promise<T> {
    const { archive } = this.#store;
    try {
      return await read();
    } catch (error) {
      if (error instanceof TelltaleError && error.code !== 'store_damaged') throw error;
      const { message } = diskError(error);
      const failure = new TelltaleError('log_unavailable', message, {}, { cause: error });
      if (archive.isOpen) {
        this.#archiveFailed = true;
        if (isCorruption(error)) this.#archiveDamage = message;
        this.#failure = failure;
      }
      throw failure;
    }
  }

  /** @throws {TelltaleError} the failure, as long as the store has not come back from it. `bytes`: about to be written. */
  async ready(bytes = 0): Promise<void> {
    if (!this.#failure) return;
    const now = performance.now();
    if (now - this.#lastAttempt < HEAL_EVERY_MS) throw this.#failure;
    this.#lastAttempt = now;
    await this.#flush;
    if (this.#failure.code === 'storage_full' && !(await this.#hasRoom(bytes))) throw this.#failure;
    try {
      await this.#heal();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = diskError(error);
      throw this.#failure;
    }
  }

  /** Moves the journal segment into the archive when it is full. */
  async afterCommit(): Promise<void> {
    const { offset } = this.#store.journal.end;
    if (offset < this.#segmentBytes) return;
    // Memory holds two segments at most: what comes faster than the archive takes it has to wait.
    if (this.#store.flushing && offset >= 2 * this.#segmentBytes) await this.#flush;
    if (!this.#store.flushing) await this.#beginFlush();
  }

  /** Moves everything into the archive, and waits for it. */
  async flush(): Promise<void> {
    await this.#flush;
    await this.ready();
    if (this.#store.live.isEmpty) return;
    await this.#beginFlush();
    await this.#flush;
    if (this.#failure) throw this.#failure;
  }

  /**
   * Commits that a run was erased, and begins to move that into the archive. What it returns resolves when nothing of the
   * run is left in any file; commits may go on meanwhile.
   */
  async erase(entry: EraseEntry, committed: () => void): Promise<() => Promise<void>> {
    const store = this.#store;
    await this.#flush;
    await this.ready();
    await store.journal.commit([entry]);
    store.live.add(entry);
    store.generation++;
    committed();
    const { archive } = store;
    const { moved } = await this.#beginFlush();
    const { segment } = store.journal.end;
    const flushed = this.#flush;
    return async () => {
      try {
        await flushed;
        await moved;
        // Again: that a segment could not be removed is no matter to a checkpoint.
        await retireSegments(join(this.#dir, 'journal'), segment, new Set());
        await purgeRun(archive, entry.tombstone);
      } catch (error) {
        if (archive.isOpen) this.#archiveFailed = true;
        throw this.failed(error);
      }
    };
  }

  /** Waits for what is on its way into the archive. */
  async settled(): Promise<void> {
    await this.#flush;
  }

  /** Resolves when it has begun, to what settles when everything is in the archive. */
  async #beginFlush(): Promise<{ readonly moved: Promise<void> }> {
    const store = this.#store;
    await store.journal.rotate();
    const { segment, commit } = store.journal.end;
    const layer = store.beginFlush();
    const marker = { version: FORMAT_VERSION, incarnations: store.incarnations, segment, commit };
    const moved = checkpoint(store.archive, layer, marker);
    this.#flush = moved.then(
      async () => {
        store.flushed();
        // One that stays is not read again: the marker is beyond it. The next checkpoint removes it.
        await retireSegments(join(this.#dir, 'journal'), segment, new Set()).catch(() => {});
      },
      (error: unknown) => {
        this.#archiveFailed = true;
        if (isCorruption(error)) this.#archiveDamage = diskError(error).message;
        this.failed(error);
      },
    );
    return { moved };
  }

  /** Cuts off what was not acknowledged and reads the rest back: the same way in as after a crash. */
  async #heal(): Promise<void> {
    const store = this.#store;
    const journalDir = join(this.#dir, 'journal');
    const { end } = store.journal;
    await store.journal.close().catch(() => {});
    const journal = await Journal.resume(journalDir, end);
    if (!this.#archiveFailed) {
      const { archive, incarnations } = store;
      const { layer, lossy, end: found } = await replayJournal(journalDir, archive, this.#tell);
      if (!lossy && found?.commit === end.commit) {
        store.replace({ archive, journal, incarnations, layer });
        this.#healed([]);
        return;
      }
      this.#archiveFailed = true;
    }
    await journal.close();
    await store.archive.close();
    const recovered = await recover(this.#dir, this.#tell, this.#archiveDamage);
    store.replace(recovered);
    this.#archiveFailed = false;
    this.#archiveDamage = undefined;
    this.#healed(recovered.lostEnds);
  }

  /** LevelDB writes its log into a table when it is opened; until there is room for that, the old one goes on reading. */
  async #hasRoom(bytes: number): Promise<boolean> {
    const { bavail, bsize } = await statfs(this.#dir);
    let needed = bytes + 64 * 1024;
    if (this.#archiveFailed) {
      const index = join(this.#dir, 'index');
      for (const name of await readdir(index)) {
        if (name.endsWith('.log')) needed += 64 * 1024 + 1.25 * (await stat(join(index, name))).size;
      }
    }
    return bavail * bsize >= needed;
  }
}
