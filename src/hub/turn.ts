export interface Flushable {
  flush(): void;
}

/**
 * Flushes whatever has something new, once per turn of the event loop: what was appended during one turn goes out in
 * one write. At low rates that adds no delay; at high rates batches grow by themselves.
 */
export class Turn {
  #due = new Set<Flushable>();

  add(it: Flushable): void {
    if (this.#due.size === 0) setImmediate(() => this.#flush());
    this.#due.add(it);
  }

  #flush(): void {
    const due = this.#due;
    this.#due = new Set();
    for (const it of due) it.flush();
  }
}
