import { mergeBlocks } from '../log/index.ts';
import type { Block } from '../protocol/index.ts';

/** What one write hands over at most, unless a single frame is larger; also what one read of the log asks for. */
export const PAGE_BYTES = 256 * 1024;

/** The newest blocks of a thread, in a row, within a number of bytes (or one). */
export class Window {
  /** It holds everything after `start`, up to `last`. */
  start: number;
  last: number;
  readonly #maxBytes: number;
  readonly #blocks: Block[] = [];
  #bytes = 0;

  constructor(start: number, maxBytes: number) {
    this.start = this.last = start;
    this.#maxBytes = maxBytes;
  }

  add(block: Block): void {
    this.#blocks.push(block);
    this.#bytes += block.bytes.length;
    this.last = block.last;
    while (this.#bytes > this.#maxBytes && this.#blocks.length > 1) this.#shift();
  }

  /** Lets go of what lies up to and with `seq`. */
  forget(seq: number): void {
    while (this.#blocks.length > 0 && this.#blocks[0]!.last <= seq) this.#shift();
  }

  /** The next blocks after `after`, about one page; the first may begin before it. `undefined`: no longer in the window. */
  read(after: number): readonly Block[] | undefined {
    if (after < this.start || after > this.last) return undefined;
    const page: Block[] = [];
    let bytes = 0;
    for (const block of this.#blocks) {
      if (block.last <= after) continue;
      page.push(block);
      bytes += block.bytes.length;
      if (bytes >= PAGE_BYTES) break;
    }
    return page;
  }

  #shift(): void {
    const block = this.#blocks.shift()!;
    this.#bytes -= block.bytes.length;
    this.start = block.last;
  }
}

/** Small neighbours as one, up to a page each: deltas are merged within a block. */
export function joinBlocks(blocks: readonly Block[]): readonly Block[] {
  const groups: Block[][] = [];
  let size = 0;
  for (const block of blocks) {
    const group = groups.at(-1);
    size += block.bytes.length;
    if (group && group[0]!.epoch === block.epoch && size <= PAGE_BYTES) group.push(block);
    else {
      groups.push([block]);
      size = block.bytes.length;
    }
  }
  return groups.map((group) => (group.length === 1 ? group[0]! : mergeBlocks(group)));
}
