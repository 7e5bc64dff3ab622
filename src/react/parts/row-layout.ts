/** What a layout needs to know of a row. The same object as before: nothing in it has changed. */
export interface Keyed {
  readonly key: string;
}

/** A row that has not been seen yet is taken to be so high, in CSS pixels. */
const ESTIMATE = 32;

/**
 * Where rows of different heights stand. Rows that were measured keep their height, by key; the others are estimated. What
 * changes near the end costs little, however many rows stand before it.
 */
export class RowLayout {
  #rows: readonly Keyed[] = [];
  readonly #heights = new Map<string, number>();
  /** `#tops[i]` is where row i begins; there is one more, the end. Right up to and with `#sure`. */
  #tops = new Float64Array(1_024);
  #sure = 0;

  get rows(): readonly Keyed[] {
    return this.#rows;
  }

  get height(): number {
    return this.top(this.#rows.length);
  }

  show(rows: readonly Keyed[]): void {
    if (rows === this.#rows) return;
    const shared = Math.min(this.#sure, rows.length, this.#rows.length);
    let same = 0;
    while (same < shared && rows[same]?.key === this.#rows[same]?.key) same++;
    this.#rows = rows;
    this.#sure = same;
    if (this.#tops.length <= rows.length) {
      const longer = new Float64Array(rows.length * 2);
      longer.set(this.#tops.subarray(0, same + 1));
      this.#tops = longer;
    }
  }

  /** @returns whether that is news. */
  measure(index: number, height: number): boolean {
    const row = this.#rows[index];
    if (!row || this.#heights.get(row.key) === height) return false;
    this.#heights.set(row.key, height);
    this.#sure = Math.min(this.#sure, index);
    return true;
  }

  /** Where a row begins. */
  top(index: number): number {
    for (; this.#sure < index; this.#sure++) {
      const height = this.#heights.get(this.#rows[this.#sure]?.key ?? '') ?? ESTIMATE;
      this.#tops[this.#sure + 1] = (this.#tops[this.#sure] ?? 0) + height;
    }
    return this.#tops[index] ?? 0;
  }

  /** The row at an offset; the first or the last one where there is none. */
  at(offset: number): number {
    let [low, high] = [0, Math.max(0, this.#rows.length - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.top(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Where the row with this key is, searched from where it was; −1 where it is not any more. */
  indexOf(key: string, near: number): number {
    const rows = this.#rows;
    for (let away = 0; away <= Math.max(near, rows.length - near); away++) {
      if (rows[near + away]?.key === key) return near + away;
      if (rows[near - away]?.key === key) return near - away;
    }
    return -1;
  }
}
