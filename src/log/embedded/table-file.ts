/**
 * Checks LevelDB's table files, since LevelDB does not: it takes what a flipped bit made of a block, loses keys behind a
 * wrong filter, and aborts the process over a key that became too short (each seen when tried). A block ends in one
 * byte for its type and a CRC-32C; a table ends in two handles (metaindex, index) and a magic number.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/table_format.md
 */
import { open } from 'node:fs/promises';
import { crc32c } from './crc32c.ts';
import { decompress } from './snappy.ts';

const FOOTER = 48;
const MAGIC = 0xdb4775248b80fb57n;
const TRAILER = 5;
const SNAPPY = 1;
/** A type that LevelDB refuses: the block becomes an error, which it can handle, instead of garbage. */
const REFUSED = 0xff;

interface Table {
  readonly size: number;
  read(at: number, bytes: number): Promise<Buffer>;
  /** Makes the block whose type is at this byte one that LevelDB refuses. */
  refuse(at: number): Promise<void>;
}

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** What is wrong with a table: nothing, its filter only (nothing is lost), or data. */
export type TableState = 'sound' | 'filter' | 'damaged';

/**
 * Checks one table and has LevelDB refuse every block that is not as it was written.
 *
 * @param depth `frame` for what the others are found by, a few small reads; `all` for every block.
 */
export async function disarmTable(path: string, depth: 'frame' | 'all'): Promise<TableState> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const whole = depth === 'all' ? await file.readFile() : undefined;
    const table: Table = {
      size,
      read: async (at, n) => whole?.subarray(at, at + n) ?? (await file.read(Buffer.alloc(n), 0, n, at)).buffer,
      refuse: async (at) => {
        await file.write(Buffer.of(REFUSED), 0, 1, at);
        await file.datasync();
      },
    };
    const footer = await table.read(Math.max(0, size - FOOTER), FOOTER);
    // The beginning of a table that a killed process was writing: LevelDB knows nothing of it and deletes it. One that it
    // does know it refuses by itself.
    if (size < FOOTER || footer.readBigUInt64LE(40) !== MAGIC) return 'sound';
    const [metaindex, index] = handles(footer.subarray(0, 40));
    let state: TableState = 'sound';
    const filters = metaindex && (await readBlock(table, metaindex));
    if (!filters) state = 'filter';
    for (const filter of filters ? blockHandles(filters) : []) if (!(await readBlock(table, filter))) state = 'filter';
    const blocks = index && (await readBlock(table, index));
    if (!blocks) return 'damaged';
    if (depth === 'all') {
      for (const block of blockHandles(blocks)) if (!(await readBlock(table, block))) state = 'damaged';
    }
    return state;
  } finally {
    await file.close();
  }
}

/** A block's content; `undefined` for one that is wrong, which LevelDB refuses from then on. */
async function readBlock(table: Table, { offset, size }: Handle): Promise<Buffer | undefined> {
  if (offset + size + TRAILER > table.size - FOOTER) return undefined;
  const bytes = await table.read(offset, size + TRAILER);
  const masked = (bytes.readUInt32LE(size + 1) - 0xa282ead8) >>> 0;
  const expected = ((masked >>> 17) | (masked << 15)) >>> 0;
  if (crc32c(bytes.subarray(0, size + 1)) === expected) {
    const content = bytes.subarray(0, size);
    return bytes[size] === SNAPPY ? decompress(content) : content;
  }
  await table.refuse(offset + size);
  return undefined;
}

/** The values of a block of handles. An entry: varints shared, own, value; then the key's own bytes and the value. */
function blockHandles(block: Buffer): Handle[] {
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4);
  const found: Handle[] = [];
  for (let at = 0; at < end; ) {
    const [, own, value] = varints(block.subarray(at), 3);
    at += value!.end + own!.value;
    found.push(...handles(block.subarray(at, at + value!.value)));
    at += value!.value;
  }
  return found;
}

function handles(bytes: Buffer): Handle[] {
  const numbers = varints(bytes, 4).map(({ value }) => value);
  const [a, b, c, d] = numbers;
  const first = a !== undefined && b !== undefined ? [{ offset: a, size: b }] : [];
  return c !== undefined && d !== undefined ? [...first, { offset: c, size: d }] : first;
}

/** Up to `n` little-endian base-128 numbers from the start of `bytes`, each with where it ends. */
function varints(bytes: Buffer, n: number): { value: number; end: number }[] {
  const found: { value: number; end: number }[] = [];
  let at = 0;
  while (found.length < n && at < bytes.length) {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) break;
    }
    found.push({ value, end: at });
  }
  return found;
}
