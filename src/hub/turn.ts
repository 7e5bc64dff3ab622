export interface Flushable {
  flush(): void;
}

/** What waits for the end of a turn waits no longer than this where others have work for the turn. */
const LATE_MS = 100;

/**
 * Flushes whatever has something new, once per turn of the event loop: what was appended during one turn goes out in
 * one write. At low rates that adds no delay; at high rates batches grow by themselves.
 *
 * A turn has no bound of its own: while more than 1,024 sockets have something to read, libuv reads 48 times as many
 * before it ends one (measured: 4 s and more). So whoever works for a socket calls `flushIfLate`.
 */
export class Turn {
  #due = new Set<Flushable>();
  #since = 0;
  #end: NodeJS.Immediate | undefined;

  add(it: Flushable): void {
    if (this.#due.size === 0) {
      this.#since = performance.now();
      this.#end = setImmediate(() => this.#flush());
    }
    this.#due.add(it);
  }

  /** Flushes now where the turn has taken too long already; else nothing. Costs a look at the clock at most. */
  flushIfLate(): void {
    if (this.#due.size === 0 || performance.now() - this.#since < LATE_MS) return;
    clearImmediate(this.#end);
    this.#flush();
  }

  #flush(): void {
    const due = this.#due;
    this.#due = new Set();
    for (const it of due) it.flush();
  }
}
