/** What the archive keeps, and how a thread's head is read from it. */
import { createHash } from 'node:crypto';
import type { Block, Head } from '../../protocol/index.ts';
import type { KnownRun, ProducerEntry } from '../index.ts';
import { decodeBlock, encodeBlock } from './block-codec.ts';

export interface StoredThread {
  readonly head: Head;
  /** The incarnation of the store that wrote this. */
  readonly incarnation: string;
}

export interface StoredRun {
  readonly record: KnownRun;
  /** Newest epoch and seq of each producer, by its id. */
  readonly producers: Readonly<Record<string, readonly [epoch: number, seq: number]>>;
}

/** What else the appends within a block left behind, as of its end: enough to rebuild every record from blocks alone. */
export interface BlockImages {
  readonly thread: StoredThread;
  readonly runs: readonly KnownRun[];
  readonly producers: readonly (readonly [runId: string, entry: ProducerEntry])[];
  readonly once: readonly { readonly key: string; readonly seq: number }[];
}

/** The archive's own account, written with every change of it. */
export interface Marker {
  readonly version: number;
  /** Random ids, the newest last. A new one is drawn when acknowledged events may have been lost. */
  readonly incarnations: readonly string[];
  /** The first journal segment that is not wholly in the archive, and the last commit that is. */
  readonly segment: number;
  readonly commit: number;
  /** How many small records there are, and the sum of their CRCs: tells when one is lost, or is an older one again. */
  readonly small: { readonly count: number; readonly sum: number };
}

/** u32 length of the images | images (JSON) | block. */
export function encodeStoredBlock(block: Block, images: BlockImages): Buffer {
  const json = Buffer.from(JSON.stringify(images));
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(json.length);
  return Buffer.concat([length, json, encodeBlock(block)]);
}

const blockStart = (bytes: Buffer): number => 4 + bytes.readUInt32LE(0);

export const decodeStoredBlock = (bytes: Buffer): Block => decodeBlock(bytes.subarray(blockStart(bytes)));

export const decodeImages = (bytes: Buffer): BlockImages => JSON.parse(bytes.toString('utf8', 4, blockStart(bytes)));

/**
 * A thread's head now. Where the store has come back with less than it had acknowledged since the head was written, the
 * thread has one more epoch for each time, beginning after the last number that survived. Derived, not drawn, so that
 * threads nobody touches need not be written, and a head that was shown once is the same after another restart.
 */
export function headUnder(
  incarnations: readonly string[],
  threadId: string,
  { head, incarnation }: StoredThread,
): Head {
  const later = incarnations.slice(incarnations.indexOf(incarnation) + 1);
  if (later.length === 0) return head;
  const starts = later.map((id) => ({ id: derivedEpoch(id, threadId), after: head.last }));
  return { ...head, epoch: starts[starts.length - 1]!.id, epochs: [...head.epochs, ...starts] };
}

function derivedEpoch(incarnation: string, threadId: string): string {
  const hash = createHash('sha256').update(`${incarnation} ${threadId}`).digest('hex');
  return BigInt(`0x1${hash}`).toString(36).slice(1, 11);
}
