/** A hidden page paints no frames, and needs news less often. */
const HIDDEN_MS = 100;

/**
 * When a store shows what is new: at most once a frame where somebody looks, every 100 ms in a hidden page, and once a
 * turn of the event loop where there are no frames. Holds no timer while nothing is asked for.
 */
export class Flush {
  readonly #show: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  constructor(show: () => void) {
    this.#show = show;
  }

  /** There is something new. */
  request(): void {
    if (this.#timer !== undefined) return;
    const paints = typeof requestAnimationFrame === 'function' && typeof document !== 'undefined';
    if (paints && document.visibilityState === 'visible') this.#frame = requestAnimationFrame(this.now);
    // Beside the frame too: a page that is hidden meanwhile gets none.
    this.#timer = setTimeout(this.now, paints ? HIDDEN_MS : 0);
  }

  /** Shows it now. */
  readonly now = (): void => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frame) cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#show();
  };
}
