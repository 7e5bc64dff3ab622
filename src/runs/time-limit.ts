/** Why the time of a run stands still: it has not begun, is paused itself, or a run above it is; or it has ended. */
export type Hold = 'begin' | 'paused' | 'above' | 'end';

/** How long a run may take, without the time for which anything holds it. */
export class TimeLimit {
  readonly #onOver: () => void;
  readonly #holds = new Set<Hold>(['begin']);
  #left: number;
  #timer: NodeJS.Timeout | undefined;
  #since = 0;

  /** @param ms milliseconds; without them there is no limit. */
  constructor(ms: number | undefined, onOver: () => void) {
    this.#left = ms ?? Number.POSITIVE_INFINITY;
    this.#onOver = onOver;
  }

  get isHeld(): boolean {
    return this.#holds.size > 0;
  }

  hold(why: Hold): void {
    this.#holds.add(why);
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left = Math.max(0, this.#left - (performance.now() - this.#since));
  }

  /** It is never over any more. The run above may go on, and say so, before the end of this one is durable. */
  end(): void {
    this.hold('end');
  }

  /** The time passes when nothing else holds it. */
  release(why: Hold): void {
    this.#holds.delete(why);
    if (this.isHeld || this.#timer || this.#left === Number.POSITIVE_INFINITY) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onOver, this.#left);
  }
}
