/** What one append leaves in the journal: how thread, run, producer and decisions are after it, and its events. */
import { crc32 } from 'node:zlib';
import type { Block, Head } from '../../protocol/index.ts';
import type { Commit, KnownRun, Tombstone } from '../index.ts';
import { decodeBlock, encodeBlock } from './block-codec.ts';

export interface BatchEntry {
  readonly threadId: string;
  /** The store's incarnation that wrote it. */
  readonly incarnation: string;
  /** Whole images, so that replay writes down what was decided and decides nothing again. */
  readonly commit: Omit<Commit, 'run'> & { readonly run: KnownRun };
  readonly block: Block;
}

/** A thread forgot its oldest events: `head.first` says up to where. */
export interface TrimEntry {
  readonly threadId: string;
  readonly incarnation: string;
  readonly head: Head;
}

/** A run was erased: what the journal and the archive have of it counts no more, and goes with the next checkpoint. */
export interface EraseEntry {
  readonly threadId: string;
  readonly incarnation: string;
  readonly tombstone: Tombstone;
}

export type JournalEntry = BatchEntry | TrimEntry | EraseEntry;

export const isBatch = (entry: JournalEntry): entry is BatchEntry => 'block' in entry;
export const isErasure = (entry: JournalEntry): entry is EraseEntry => 'tombstone' in entry;

const HEAD = 12;

/** u32 length of all that follows the CRC | u32 CRC | u32 length of the JSON | JSON | block, if any. */
export function encodeEntry(entry: JournalEntry): Buffer {
  const { block, ...about } = isBatch(entry) ? entry : { ...entry, block: undefined };
  const json = Buffer.from(JSON.stringify(about));
  const encoded = block ? encodeBlock(block) : Buffer.alloc(0);
  const bytes = Buffer.concat([Buffer.allocUnsafe(HEAD), json, encoded]);
  bytes.writeUInt32LE(bytes.length - 8, 0);
  bytes.writeUInt32LE(json.length, 8);
  bytes.writeUInt32LE(entryChecksum(bytes), 4);
  return bytes;
}

/** Over the length too: a damaged length must not lead into the middle of another entry unnoticed. */
const entryChecksum = (bytes: Buffer): number => crc32(bytes.subarray(8), crc32(bytes.subarray(0, 4)));

/** The entries in a commit's payload; `whole` is false where some of it could not be read. */
export function decodeEntries(payload: Buffer): { entries: JournalEntry[]; whole: boolean } {
  const entries: JournalEntry[] = [];
  let whole = true;
  let offset = 0;
  while (offset < payload.length) {
    const end = offset + 8 + (payload.length - offset < HEAD ? Infinity : payload.readUInt32LE(offset));
    if (end > payload.length || end < offset + HEAD) return { entries, whole: false };
    const bytes = payload.subarray(offset, end);
    if (entryChecksum(bytes) === bytes.readUInt32LE(4)) entries.push(decodeEntry(bytes));
    else whole = false;
    offset = end;
  }
  return { entries, whole };
}

function decodeEntry(bytes: Buffer): JournalEntry {
  const jsonEnd = HEAD + bytes.readUInt32LE(8);
  const about = JSON.parse(bytes.toString('utf8', HEAD, jsonEnd));
  return jsonEnd < bytes.length ? { ...about, block: decodeBlock(bytes.subarray(jsonEnd)) } : about;
}
