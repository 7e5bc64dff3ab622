import { ClassicLevel } from 'classic-level';
import { type Block, TelltaleError } from '../../protocol/index.ts';
import { pageBytes } from '../index.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import { isCorruption } from './disk-error.ts';
import { after, blockKey, blocksOf, MARKER, SMALL } from './keys.ts';
import { checksumOf, sealJson, unseal, unsealJson } from './sealed.ts';
import { decodeStoredBlock, type Marker } from './stored.ts';

export type Change =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string };

type Level = ClassicLevel<string, Buffer>;

/** No table has such a key: to compact it merges nothing. */
const BEYOND = '~';

/**
 * LevelDB, and what it does not do by itself: check what it reads, notice what it lost, and stop after an error. After
 * ENOSPC it acknowledged 200 synced batches and lost them (measured), so after any failed write it has to be reopened.
 */
export class Archive {
  readonly #level: Level;
  #marker: Marker | undefined;
  /** Each settles when its read is over. LevelDB keeps whatever a read that has begun might still see. */
  readonly #reads = new Set<Promise<unknown>>();

  private constructor(level: Level, marker: Marker | undefined) {
    this.#level = level;
    this.#marker = marker;
  }

  /**
   * Opens or makes the archive, and with it takes the directory for this process.
   *
   * @throws {TelltaleError} `store_locked`, `store_version`; LevelDB's own error where it cannot be read.
   */
  static async open(dir: string): Promise<Archive> {
    const level: Level = new ClassicLevel(dir, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    try {
      await level.open();
    } catch (error) {
      throw isLocked(error)
        ? new TelltaleError('store_locked', `Another process has ${dir} open. Stop it, or choose another directory.`)
        : error;
    }
    try {
      const sealed = await level.get(MARKER);
      const marker = sealed && unsealJson<Marker>(MARKER, sealed);
      if (marker && marker.version > FORMAT_VERSION) {
        throw new TelltaleError('store_version', `${dir} has format ${marker.version}; this is ${FORMAT_VERSION}.`);
      }
      return new Archive(level, marker);
    } catch (error) {
      await level.close();
      throw error;
    }
  }

  /**
   * Copies everything that is as it was written from a damaged archive into a new one. A copy, because LevelDB's own
   * repair keeps tables whose keys a flipped bit has put out of order, and then loses what stands behind them.
   */
  static async salvage(from: string, to: string): Promise<Archive> {
    await ClassicLevel.repair(from);
    const old = await Archive.open(from);
    const copy: Level = new ClassicLevel(to, { keyEncoding: 'utf8', valueEncoding: 'buffer' });
    try {
      await copy.open();
      const chunk: (Change & { type: 'put' })[] = [];
      for await (const [key, value] of old.readable()) {
        if (unseal(key, value)) chunk.push({ type: 'put', key, value });
        if (chunk.length === 1000) await copy.batch(chunk.splice(0), { sync: true });
      }
      await copy.batch(chunk, { sync: true });
      return new Archive(copy, old.marker);
    } catch (error) {
      await copy.close();
      throw error;
    } finally {
      await old.close();
    }
  }

  /** As last written; `undefined` in an archive that is new, or has lost it. */
  get marker(): Marker | undefined {
    return this.#marker;
  }

  /** @throws {TelltaleError} `store_damaged` for a value that is not what was written. */
  async get<T>(key: string): Promise<T | undefined> {
    return openValue(key, await this.#reading(this.#level.get(key)));
  }

  async getMany<T>(keys: string[]): Promise<(T | undefined)[]> {
    if (keys.length === 0) return [];
    const values = await this.#reading(this.#level.getMany(keys));
    return values.map((value, i) => openValue<T>(keys[i]!, value));
  }

  /** Values as they are stored, damaged ones too. */
  async getSealed(keys: string[]): Promise<(Buffer | undefined)[]> {
    return keys.length === 0 ? [] : await this.#reading(this.#level.getMany(keys));
  }

  /** The blocks with events after `seq`, up to about `bytes`, as long as each goes on where the one before ended. */
  async blocks(threadId: string, seq: number, bytes: number): Promise<Block[]> {
    const blocks: Block[] = [];
    let size = 0;
    for await (const [key, value] of this.entries(blockKey(threadId, seq), after(blocksOf(threadId)), bytes)) {
      const opened = unseal(key, value);
      if (!opened) break;
      const block = decodeStoredBlock(opened);
      if (block.first > seq + 1) break;
      blocks.push(block);
      seq = block.last;
      size += pageBytes(block);
      if (size >= bytes) break;
    }
    return blocks;
  }

  /** Everything between two keys, both exclusive, as stored. */
  async *entries(gt: string, lt: string, chunkBytes = 256 * 1024): AsyncGenerator<[key: string, value: Buffer]> {
    const iterator = this.#level.iterator({ gt, lt, highWaterMarkBytes: chunkBytes });
    const over = this.#readBegins();
    try {
      for (;;) {
        const chunk = await iterator.nextv(1000);
        if (chunk.length === 0) return;
        yield* chunk;
      }
    } finally {
      await iterator.close().finally(over);
    }
  }

  /** Everything that LevelDB still gives, one by one: of a chunk with damage behind it LevelDB gives nothing. */
  async *readable(): AsyncGenerator<[key: string, value: Buffer]> {
    const iterator = this.#level.iterator({ highWaterMarkBytes: 0 });
    try {
      for (let next = await iterator.nextv(1); next.length > 0; next = await iterator.nextv(1)) yield* next;
    } catch (error) {
      // Said at the end of everything: that something was left out on the way.
      if (!isCorruption(error)) throw error;
    } finally {
      await iterator.close();
    }
  }

  /** Keys between two keys, both exclusive, newest or greatest first where `reverse`. */
  async *keys(gt: string, lt: string, reverse = false): AsyncGenerator<string> {
    const over = this.#readBegins();
    try {
      for await (const key of this.#level.keys({ gt, lt, reverse })) yield key;
    } finally {
      over();
    }
  }

  /** Adds up every small record; `undefined` where one of them is not what was written. */
  async sumUp(each: (key: string) => void): Promise<Marker['small'] | undefined> {
    let count = 0;
    let sum = 0;
    for await (const [key, value] of this.entries(SMALL, after(SMALL))) {
      if (!unseal(key, value)) return undefined;
      count++;
      sum = (sum + checksumOf(value)) >>> 0;
      each(key);
    }
    return { count, sum };
  }

  /** All of it or nothing, on the disk when it resolves. After a rejection this object must not be used to write again. */
  async write(changes: readonly Change[], marker: Omit<Marker, 'small'>, small?: Marker['small']): Promise<void> {
    const next: Marker = { ...marker, small: small ?? (await this.#smallAfter(changes)) };
    const batch = [...changes, { type: 'put' as const, key: MARKER, value: sealJson(MARKER, next) }];
    await this.#level.batch(batch, { sync: true });
    this.#marker = next;
  }

  async #smallAfter(changes: readonly Change[]): Promise<Marker['small']> {
    let { count, sum } = this.#marker?.small ?? { count: 0, sum: 0 };
    const small = changes.filter(({ key }) => key.startsWith(SMALL));
    const before = await this.getSealed(small.map(({ key }) => key));
    for (const [i, change] of small.entries()) {
      const old = before[i];
      count += (change.type === 'put' ? 1 : 0) - (old ? 1 : 0);
      sum += (change.type === 'put' ? checksumOf(change.value) : 0) - (old ? checksumOf(old) : 0);
    }
    return { count, sum: ((sum % 2 ** 32) + 2 ** 32) % 2 ** 32 };
  }

  /**
   * Takes everything that was overwritten or deleted between these keys out of LevelDB's files. Both ends are written, so
   * no record may have such a key.
   *
   * LevelDB keeps an old version for as long as a read may see it, and where it reached the lowest level together with
   * the new one: only what is written afterwards, from one end to the other, has it merge all tables in between.
   */
  async purge(ranges: readonly (readonly [from: string, to: string])[]): Promise<void> {
    await this.#readsBefore();
    await this.#settle();
    // Twice: a merge that LevelDB had begun by itself may have moved an old version one level down meanwhile.
    for (let pass = 0; pass < 2; pass++) {
      // One by one: a table that reaches over several ranges overlaps all that is between them.
      for (const [from, to] of ranges) {
        await this.#level.batch([from, to].map((key) => ({ type: 'del', key })));
        await this.#level.compactRange(from, to);
      }
    }
    // A file that a read had open goes with the merge after it.
    await this.#readsBefore();
    await this.#settle();
  }

  /** False from the call of `close` on: what fails then is not the disk's fault. */
  get isOpen(): boolean {
    return this.#level.status === 'open';
  }

  async close(): Promise<void> {
    await this.#level.close();
  }

  /** Moves what LevelDB has in memory and in its own log into tables, and deletes the files it needs no more. */
  async #settle(): Promise<void> {
    await this.#level.compactRange(BEYOND, BEYOND);
  }

  async #reading<T>(read: Promise<T>): Promise<T> {
    this.#reads.add(read);
    return read.finally(() => this.#reads.delete(read));
  }

  #readBegins(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reads.add(promise);
    return () => {
      this.#reads.delete(promise);
      resolve();
    };
  }

  async #readsBefore(): Promise<void> {
    await Promise.allSettled([...this.#reads]);
  }
}

function openValue<T>(key: string, sealed: Buffer | undefined): T | undefined {
  const value = sealed && unsealJson<T>(key, sealed);
  if (sealed && value === undefined) {
    throw new TelltaleError('store_damaged', `The record ${key} is not what was written`, { key });
  }
  return value;
}

function isLocked(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    error.cause.code === 'LEVEL_LOCKED'
  );
}
