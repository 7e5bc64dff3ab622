import type { TelltaleEvent } from '../../protocol/index.ts';

/** Events that are read together. */
export const CHUNK = 250;
/** Chunks that stay read: whoever drags looks at the same few again and again. */
const KEPT = 12;
/** What passes for idle, in milliseconds of the log. */
export const IDLE_MS = 2_000;

/**
 * All events of a run, in the bytes of their JSON: 200,000 events of 200 bytes are 40 MB here, and several times that as
 * objects. Read again, in chunks, where somebody looks.
 */
export class Tape {
  readonly #chunks: Uint8Array[] = [];
  /** The newest events, which fill no chunk yet. */
  #open: TelltaleEvent[] = [];
  /** Chunks that were read, the one that was wanted last at the end. */
  readonly #read = new Map<number, readonly TelltaleEvent[]>();
  readonly #seqs: number[] = [];
  readonly #times: number[] = [];
  readonly #places: number[] = [];

  get length(): number {
    return this.#seqs.length;
  }

  add(event: TelltaleEvent): void {
    // Clocks are set back; time here never goes back for that.
    const before = this.#times.at(-1) ?? 0;
    const time = Math.max(before, Date.parse(event.time) || 0);
    const place = this.#places.at(-1);
    this.#seqs.push(event.seq);
    this.#times.push(time);
    this.#places.push(place === undefined ? 0 : place + Math.min(IDLE_MS, Math.max(1, time - before)));
    this.#open.push(event);
    if (this.#open.length < CHUNK) return;
    this.#chunks.push(new TextEncoder().encode(JSON.stringify(this.#open)));
    this.#open = [];
  }

  /** The number of an event by its index; the first has 0. */
  seq(index: number): number {
    return this.#seqs[index] ?? 0;
  }

  /** When it happened by the log, in milliseconds since 1970. */
  time(index: number): number {
    return this.#times[index] ?? 0;
  }

  /** How long after the first event it is, in milliseconds, when nothing takes longer than idleness, or no time at all. */
  place(index: number): number {
    return this.#places[index] ?? 0;
  }

  /** The index of the last event up to a number; -1 before the first. */
  find(seq: number): number {
    return lastUpTo(this.#seqs, seq);
  }

  /** The index of the last event up to a place; -1 before the first. */
  findPlace(place: number): number {
    return lastUpTo(this.#places, place);
  }

  /** The events from one index to before another. */
  slice(from: number, to: number): readonly TelltaleEvent[] {
    const found: TelltaleEvent[] = [];
    for (let index = Math.max(0, from); index < Math.min(to, this.length); ) {
      const within = index % CHUNK;
      const events = this.#chunk(Math.floor(index / CHUNK)).slice(within, within + to - index);
      for (const event of events) found.push(event);
      index += events.length;
    }
    return found;
  }

  #chunk(number: number): readonly TelltaleEvent[] {
    const bytes = this.#chunks[number];
    if (!bytes) return this.#open;
    const events = this.#read.get(number) ?? (JSON.parse(new TextDecoder().decode(bytes)) as TelltaleEvent[]);
    this.#read.delete(number);
    this.#read.set(number, events);
    for (const oldest of this.#read.keys()) {
      if (this.#read.size <= KEPT) break;
      this.#read.delete(oldest);
    }
    return events;
  }
}

/** The index of the last of ascending values up to one; -1 before the first. */
function lastUpTo(values: readonly number[], value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
