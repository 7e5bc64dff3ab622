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

/** Entries that are decoded when one is first asked for: what is sent as it is stored never needs them. */
export interface LazyEntries {
  readonly count: number;
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

  /** The event's JSON, as bytes. */
  json(seq: number): Uint8Array {
    const { start, end, type } = this.entry(seq);
    return this.bytes.subarray(start + eventFrameOffsets(this.epoch, seq, type).json, end - 2);
  }

  /** The event, parsed. */
  event(seq: number): TelltaleEvent {
    return JSON.parse(decoder.decode(this.json(seq))) as TelltaleEvent;
  }

  /** The events after `after`, parsed one by one. */
  *events(after = 0): Generator<TelltaleEvent> {
    for (let seq = Math.max(this.first, after + 1); seq <= this.last; seq++) yield this.event(seq);
  }
}

const decoder = new TextDecoder();
