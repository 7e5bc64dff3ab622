/**
 * A journal segment in bytes: a header, then commits back to back. A commit is what one write and one sync made durable:
 *
 *   u32 magic | u32 length of the payload | u64 number of the commit | u32 CRC of the payload | u32 CRC of this header
 */
import { crc32 } from 'node:zlib';
import { decodeEntries, type JournalEntry } from './entry.ts';

/** Not UTF-8, so no event can contain it. */
const COMMIT_MAGIC = Buffer.from([0xff, 0x54, 0x43, 0xfe]);
const COMMIT_HEADER = 24;

const SEGMENT_MAGIC = Buffer.from('\xffTELLTLE', 'latin1');
export const SEGMENT_HEADER = 32;
export const FORMAT_VERSION = 1;

export interface SegmentHeader {
  readonly version: number;
  readonly segment: number;
  /** Number of the first commit that may stand in it. */
  readonly firstCommit: number;
}

export function encodeSegmentHeader({ version, segment, firstCommit }: SegmentHeader): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER);
  SEGMENT_MAGIC.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeBigUInt64LE(BigInt(segment), 12);
  header.writeBigUInt64LE(BigInt(firstCommit), 20);
  header.writeUInt32LE(crc32(header.subarray(0, 28)), 28);
  return header;
}

/** `undefined` where there is none, or a damaged one. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER || !bytes.subarray(0, 8).equals(SEGMENT_MAGIC)) return undefined;
  if (crc32(bytes.subarray(0, 28)) !== bytes.readUInt32LE(28)) return undefined;
  return {
    version: bytes.readUInt32LE(8),
    segment: Number(bytes.readBigUInt64LE(12)),
    firstCommit: Number(bytes.readBigUInt64LE(20)),
  };
}

export function encodeCommit(number: number, entries: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.allocUnsafe(COMMIT_HEADER), ...entries]);
  const payload = bytes.subarray(COMMIT_HEADER);
  COMMIT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(payload.length, 4);
  bytes.writeBigUInt64LE(BigInt(number), 8);
  bytes.writeUInt32LE(crc32(payload), 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
  return bytes;
}

/** What stands at a place of a segment. */
export type Finding =
  | {
      readonly kind: 'commit';
      readonly number: number;
      readonly end: number;
      readonly entries: readonly JournalEntry[];
      /** False where entries are missing from it. */
      readonly whole: boolean;
    }
  /** Bytes that are no commit, with something behind them that was written later. */
  | { readonly kind: 'damage'; readonly from: number; readonly end: number }
  /** The end of a write that never finished: nobody was told that it is here. */
  | { readonly kind: 'torn'; readonly from: number };

/** Reads the commits of a segment from its first on, over damage where there is any. */
export function* readCommits(bytes: Buffer): Generator<Finding> {
  let offset = SEGMENT_HEADER;
  while (offset < bytes.length) {
    const header = readHeader(bytes, offset);
    if (!header) {
      if (isUnwritten(bytes, offset)) return yield { kind: 'torn', from: offset };
      const end = nextHeader(bytes, offset + 1);
      yield { kind: 'damage', from: offset, end };
      offset = end;
      continue;
    }
    const start = offset + COMMIT_HEADER;
    const end = start + header.length;
    if (end > bytes.length) return yield { kind: 'torn', from: offset };
    const payload = bytes.subarray(start, end);
    const { entries, whole } = decodeEntries(payload);
    yield { kind: 'commit', number: header.number, end, entries, whole: whole && crc32(payload) === header.checksum };
    offset = end;
  }
}

function readHeader(bytes: Buffer, at: number): { length: number; number: number; checksum: number } | undefined {
  if (at + COMMIT_HEADER > bytes.length || !bytes.subarray(at, at + 4).equals(COMMIT_MAGIC)) return undefined;
  if (crc32(bytes.subarray(at, at + 20)) !== bytes.readUInt32LE(at + 20)) return undefined;
  return {
    length: bytes.readUInt32LE(at + 4),
    number: Number(bytes.readBigUInt64LE(at + 8)),
    checksum: bytes.readUInt32LE(at + 16),
  };
}

/** Cut off within a header, or a size that grew before its bytes came (a file system's way to tear a write). */
function isUnwritten(bytes: Buffer, from: number): boolean {
  return bytes.length - from < COMMIT_HEADER || bytes.subarray(from).every((byte) => byte === 0);
}

function nextHeader(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(COMMIT_MAGIC, from);
  while (at >= 0 && !readHeader(bytes, at)) at = bytes.indexOf(COMMIT_MAGIC, at + 1);
  return at < 0 ? bytes.length : at;
}
