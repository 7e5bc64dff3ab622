import type { TelltaleEvent } from '../protocol/index.ts';

/** What a store keeps of a log beside its fold, in characters of JSON: events may be large. */
const MAX_SIZE = 8 * 1024 * 1024;

/** The newest events, bounded in number and size. What fell out of it is in the log. */
export class EventWindow {
  readonly #max: number;
  readonly #events: TelltaleEvent[] = [];
  readonly #sizes: number[] = [];
  #size = 0;
  /** All events after this number are here. */
  #complete = 0;
  #shown: readonly TelltaleEvent[] = [];
  #changed = false;

  constructor(max: number) {
    this.#max = max;
  }

  add(event: TelltaleEvent, size: number): void {
    this.#events.push(event);
    this.#sizes.push(size);
    this.#size += size;
    this.#changed = true;
    // A quarter more than allowed, so that dropping is rare and cheap.
    if (this.#events.length > this.#max * 1.25 || this.#size > MAX_SIZE * 1.25) this.#trim();
  }

  /** Begins anew: what comes now is all there is after `seq`. */
  clear(seq = 0): void {
    this.#events.length = 0;
    this.#sizes.length = 0;
    this.#size = 0;
    this.#complete = seq;
    this.#changed = true;
  }

  /** What came after a number; `undefined` where some of it is not here any more, or only as part of a merged frame. */
  after(seq: number): readonly TelltaleEvent[] | undefined {
    if (seq < this.#complete) return undefined;
    const next = this.#events.slice(this.#events.findLastIndex((event) => event.seq <= seq) + 1);
    return (next[0]?.first ?? Number.POSITIVE_INFINITY) <= seq ? undefined : next;
  }

  /** The same array until something changes. */
  get events(): readonly TelltaleEvent[] {
    if (this.#changed) {
      this.#trim();
      this.#shown = this.#events.slice();
      this.#changed = false;
    }
    return this.#shown;
  }

  #trim(): void {
    let drop = Math.max(0, this.#events.length - this.#max);
    for (let i = 0; i < drop; i++) this.#size -= this.#sizes[i] as number;
    // The newest stays, whatever its size.
    while (this.#size > MAX_SIZE && drop < this.#events.length - 1) this.#size -= this.#sizes[drop++] as number;
    this.#complete = this.#events[drop - 1]?.seq ?? this.#complete;
    this.#events.splice(0, drop);
    this.#sizes.splice(0, drop);
  }
}
