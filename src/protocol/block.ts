import type { AgentRef, TelltaleEvent } from './event.ts';
import { eventFrameOffsets } from './frame.ts';

/** What is known of one event without parsing it. Offsets are bytes into the block. */
export interface Entry {
  readonly type: string;
  readonly runId: string;
  /** Absent for what the run itself did. */
  readonly agent?: AgentRef;
  /** What a delta belongs to: deltas of one entity may be merged. */
  readonly entity?: string;
  /** Where the frame begins and ends (the blank line included). */
  readonly start: number;
  readonly end: number;
  /** Bytes of the delta's escaped text; it ends five bytes before the frame does (`"}}\n\n`). */
  readonly deltaBytes?: number;
}

/**
 * True where the number stands for nothing any more: its run was erased. Such an entry has no bytes, no type and no run;
 * numbers stay in a row, and every view skips it.
 */
export const isVoid = ({ type }: Pick<Entry, 'type'>): boolean => type === VOID.type;

/** What an erased event is in its block, beside the place where its frame would begin and end. */
export const VOID = { type: '', runId: '' } as const;

/** Entries that are decoded when one is first asked for: what is sent as it is stored never needs them. */
export interface LazyEntries {
  readonly count: number;
  readonly hasVoid: boolean;
  decode(): readonly Entry[];
}

/**
 * Consecutive events of one thread and one epoch as ready frames, back to back. Stored, kept in memory and sent in this
 * one form: reading is copying, filtering is slicing. Never changed once made; share it freely.
 */
export class Block {
  readonly epoch: string;
  readonly first: number;
  /** The number of the last event. */
  readonly last: number;
  readonly bytes: Uint8Array;
  #entries: readonly Entry[] | LazyEntries;
  #hasVoid: boolean | undefined;

  constructor(epoch: string, first: number, bytes: Uint8Array, entries: readonly Entry[] | LazyEntries) {
    this.epoch = epoch;
    this.first = first;
    this.last = first - 1 + ('decode' in entries ? entries.count : entries.length);
    this.bytes = bytes;
    this.#entries = entries;
  }

  get entries(): readonly Entry[] {
    if ('decode' in this.#entries) this.#entries = this.#entries.decode();
    return this.#entries;
  }

  /** True where events in it were erased: what is sent of it is less than all that its numbers promise. */
  get hasVoid(): boolean {
    this.#hasVoid ??= 'decode' in this.#entries ? this.#entries.hasVoid : this.#entries.some(isVoid);
    return this.#hasVoid;
  }

  /** The entry of event `seq`. */
  entry(seq: number): Entry {
    const entry = this.entries[seq - this.first];
    if (!entry) throw new RangeError(`No event ${seq} in block ${this.first} to ${this.last}`);
    return entry;
  }

  /** The byte at which the first frame after `after` begins; the block's length when there is none. */
  offsetAfter(after: number): number {
    if (after < this.first) return 0;
    return this.entries[after - this.first]?.end ?? this.bytes.length;
  }

  /** The event's JSON, as bytes. @throws {RangeError} for one that was erased. */
  json(seq: number): Uint8Array {
    const { start, end, type } = this.entry(seq);
    if (isVoid({ type })) throw new RangeError(`Event ${seq} was erased`);
    return this.bytes.subarray(start + eventFrameOffsets(this.epoch, seq, type).json, end - 2);
  }

  /** The event, parsed. */
  event(seq: number): TelltaleEvent {
    return JSON.parse(decoder.decode(this.json(seq))) as TelltaleEvent;
  }

  /** The events after `after`, parsed one by one; those that were erased are left out. */
  *events(after = 0): Generator<TelltaleEvent> {
    for (let seq = Math.max(this.first, after + 1); seq <= this.last; seq++) {
      if (!isVoid(this.entry(seq))) yield this.event(seq);
    }
  }
}

const decoder = new TextDecoder();
