import { Block, type Entry } from '../protocol/index.ts';

/** Consecutive blocks of one epoch as one: what was appended in small batches is read in large pieces. */
export function mergeBlocks(blocks: readonly Block[]): Block {
  const [front] = blocks;
  if (!front) throw new RangeError('Nothing to merge');
  const entries: Entry[] = [];
  let offset = 0;
  for (const block of blocks) {
    if (block.epoch !== front.epoch || block.first !== front.first + entries.length) {
      throw new RangeError(`Block ${block.first} does not follow ${front.first + entries.length - 1}`);
    }
    for (const entry of block.entries) entries.push(shifted(entry, offset));
    offset += block.bytes.length;
  }
  return new Block(front.epoch, front.first, Buffer.concat(blocks.map(({ bytes }) => bytes)), entries);
}

/** The part of a block after event `after`, which must not be its last; shares the block's bytes. */
export function blockAfter(block: Block, after: number): Block {
  if (after < block.first) return block;
  const offset = block.offsetAfter(after);
  const entries = block.entries.slice(after + 1 - block.first).map((entry) => shifted(entry, -offset));
  return new Block(block.epoch, after + 1, block.bytes.subarray(offset), entries);
}

/** What a block counts in a page: its bytes, and something for numbers that have none. */
export const pageBytes = ({ bytes, first, last }: Block): number => Math.max(bytes.length, 32 * (last - first + 1));

/** Index of the first of consecutive blocks, or what holds them, with an event after `after`; the length when there is none. */
export function indexAfter<T>(items: readonly T[], after: number, lastOf: (item: T) => number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (lastOf(items[middle]!) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

const shifted = (entry: Entry, by: number): Entry => ({ ...entry, start: entry.start + by, end: entry.end + by });
