/** Bytes put together from parts of one buffer and pieces in between; one part alone is not copied. */
export class Slices {
  readonly #source: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #from = 0;
  #to = 0;
  #bytes = 0;

  constructor(source: Uint8Array) {
    this.#source = source;
  }

  /** A part that begins where the last one ended makes it longer. */
  add(from: number, to: number): void {
    if (from !== this.#to) {
      this.#close();
      this.#from = from;
    }
    this.#to = to;
  }

  insert(piece: Uint8Array): void {
    const at = this.#to;
    this.#close();
    this.#push(piece);
    this.#from = this.#to = at;
  }

  join(): Uint8Array {
    this.#close();
    const [only] = this.#parts;
    if (only && this.#parts.length === 1) return only;
    const joined = new Uint8Array(this.#bytes);
    let offset = 0;
    for (const part of this.#parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    return joined;
  }

  #close(): void {
    if (this.#to === this.#from) return;
    const whole = this.#from === 0 && this.#to === this.#source.length;
    this.#push(whole ? this.#source : this.#source.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }
}
