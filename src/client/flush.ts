/** A hidden page paints no frames, and needs news less often. */
const HIDDEN_MS = 100;
/** History is shown whenever it took so much longer to come: its beginning with each frame, then ever more seldom. */
const LONGER = 1.5;
/** At last so often. Each time costs a page 10 to 20 ms in which it could take 4,000 events. */
const SELDOM_MS = 250;

/**
 * When a store shows what is new: at most once a frame where somebody looks, every 100 ms in a hidden page, and once a
 * turn of the event loop where there are no frames. Holds no timer while nothing is asked for.
 */
export class Flush {
  readonly #show: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  /** What is waited for is history. */
  #isPassing = false;
  #shownAt = 0;
  /** When something was asked for last that is no history. */
  #settledAt = 0;

  constructor(show: () => void) {
    this.#show = show;
  }

  /**
   * There is something new.
   *
   * @param isPassing it is history, which will be more in a moment: each time it is shown costs a page more the longer it
   * is, and is looked at by nobody.
   */
  request(isPassing = false): void {
    if (this.#timer !== undefined && (isPassing || !this.#isPassing)) return;
    clearTimeout(this.#timer);
    const now = performance.now();
    if (!isPassing) this.#settledAt = now;
    const due = Math.min(this.#shownAt + SELDOM_MS, this.#settledAt + (this.#shownAt - this.#settledAt) * LONGER);
    this.#isPassing = isPassing && due > now;
    if (this.#isPassing) this.#timer = setTimeout(this.#soon, due - now);
    else this.#soon();
  }

  /** Shows it now. */
  readonly now = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frame) cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#isPassing = false;
    this.#shownAt = performance.now();
    this.#show();
  };

  readonly #soon = (): void => {
    const paints = typeof requestAnimationFrame === 'function' && typeof document !== 'undefined';
    if (paints && document.visibilityState === 'visible') this.#frame = requestAnimationFrame(this.now);
    // Beside the frame too: a page that is hidden meanwhile gets none.
    this.#timer = setTimeout(this.now, paints ? HIDDEN_MS : 0);
  };
}
