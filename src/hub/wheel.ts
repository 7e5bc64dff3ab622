export interface Ticking {
  tick(): void;
}

/** How many times in a period the wheel turns on. */
const SLOTS = 16;

/** Ticks each of its members once per period, with one timer for all of them and none when there is no member. */
export class Wheel {
  readonly #slots: readonly Set<Ticking>[] = Array.from({ length: SLOTS }, () => new Set());
  readonly #stepMs: number;
  #size = 0;
  #hand = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number) {
    this.#stepMs = periodMs / SLOTS;
  }

  /** The first tick comes after nearly a whole period. Returns the slot, for `remove`. */
  add(it: Ticking): number {
    const slot = this.#hand;
    this.#slots[slot]!.add(it);
    if (this.#size++ === 0) this.#timer = setInterval(() => this.#step(), this.#stepMs);
    return slot;
  }

  remove(it: Ticking, slot: number): void {
    if (this.#slots[slot]!.delete(it) && --this.#size === 0) clearInterval(this.#timer);
  }

  #step(): void {
    this.#hand = (this.#hand + 1) % SLOTS;
    for (const it of this.#slots[this.#hand]!) it.tick();
  }
}
