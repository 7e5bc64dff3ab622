import { RowFocus } from './row-focus.ts';
import { type Keyed, RowLayout } from './row-layout.ts';

/** Rows kept ready above and below what is seen. */
const SPARE = 6;
/** Scrolled down to so near the end, in pixels, the reader wants to follow it again. */
const NEAR_END = 80;
/** Before the page is laid out: what a screen of 720 pixels shows. */
const FIRST_HEIGHT = 720;

/** The rows to mount, `start` up to, not with, `end`, and the pixels of those before and after. */
export interface Mounted {
  readonly start: number;
  readonly end: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Scrolling over more rows than a page can hold: which of them are mounted, that none jumps when another above turns out
 * higher than thought, and that the end is followed until the reader goes up. The reader's gesture decides, not the place.
 */
export class Scroller {
  readonly layout = new RowLayout();
  readonly focus: RowFocus;
  isFollowing: boolean;
  /** How many rows there were when the reader let go of the end. */
  seen = 0;
  readonly #changed: () => void;
  /** The key of the row to be brought into view, until it is. */
  #wanted: string | undefined;
  #element: HTMLElement | undefined;
  #list: HTMLElement | undefined;
  #top = 0;
  #isHeld = false;
  #touchY = 0;
  readonly #resize: ResizeObserver | undefined;

  /** @param isFollowing whether the reader was at the end so far. */
  constructor(changed: () => void, isFollowing = true) {
    this.#changed = changed;
    this.isFollowing = isFollowing;
    this.focus = new RowFocus(this, changed);
    this.#resize =
      typeof ResizeObserver === 'undefined' ? undefined : new ResizeObserver(() => this.settle() && changed());
  }

  /** Shows the rows of an element. */
  attach(element: HTMLElement, list: HTMLElement): () => void {
    this.#element = element;
    this.#list = list;
    this.#top = element.scrollTop;
    // The list grows with its rows, the element with the page.
    this.#resize?.observe(element);
    this.#resize?.observe(list);
    const passive = { passive: true };
    const on: [keyof HTMLElementEventMap, (event: never) => void][] = [
      ['scroll', () => this.#scrolled()],
      ['wheel', ({ deltaY }: WheelEvent) => deltaY < 0 && this.letGo()],
      ['touchstart', (event: TouchEvent) => this.#touched(event)],
      ['touchmove', ({ touches }: TouchEvent) => (touches[0]?.clientY ?? 0) > this.#touchY && this.letGo()],
      ['pointerdown', ({ target }: PointerEvent) => target !== element && this.#held()],
    ];
    for (const [type, listener] of on) element.addEventListener(type, listener as EventListener, passive);
    return () => {
      for (const [type, listener] of on) element.removeEventListener(type, listener as EventListener);
      this.#resize?.disconnect();
      this.#element = this.#list = undefined;
    };
  }

  /** The first row in sight. */
  get first(): number {
    return this.layout.at(this.#top);
  }

  /** Takes the rows that there are now, and says which of them to mount. */
  mounted(rows: readonly Keyed[]): Mounted {
    const { layout } = this;
    const anchor = layout.at(this.#top);
    const key = layout.rows[anchor]?.key;
    const offset = this.#top - layout.top(anchor);
    layout.show(rows);
    const index = key === undefined ? -1 : layout.indexOf(key, anchor);
    // What came above stays above.
    if (index >= 0) this.#top = layout.top(index) + offset;
    const seen = this.#element?.clientHeight || FIRST_HEIGHT;
    const wanted = this.#wanted === undefined ? -1 : layout.indexOf(this.#wanted, anchor);
    if (wanted < 0) this.#wanted = undefined;
    else this.#top = Math.max(0, Math.min(layout.top(wanted) - seen / 3, layout.height + this.#padding - seen));
    const top = this.isFollowing && !this.#isHeld ? Math.max(0, layout.height - seen) : this.#top;
    const start = Math.max(0, layout.at(top) - SPARE);
    const end = Math.min(rows.length, layout.at(top + seen) + 1 + SPARE);
    return { start, end, before: layout.top(start), after: layout.height - layout.top(end) };
  }

  /** After rendering: measures what is mounted, and scrolls to where the reader is. Says whether other rows are due. */
  settle(): boolean {
    const [element, list, { layout }] = [this.#element, this.#list, this];
    // What is hidden has no heights: rows without any would all be in sight.
    if (!element?.clientHeight || !list) return false;
    const anchor = layout.at(this.#top);
    const offset = this.#top - layout.top(anchor);
    let isNews = false;
    for (const row of list.children) {
      const index = Number((row as HTMLElement).dataset.index);
      if (!Number.isNaN(index)) isNews = layout.measure(index, row.getBoundingClientRect().height) || isNews;
    }
    if (isNews) this.#top = layout.top(anchor) + offset;
    if (this.isFollowing && !this.#isHeld) this.#top = Math.max(0, element.scrollHeight - element.clientHeight);
    // Its place is an estimate until it and its neighbours are measured.
    if (!isNews && this.#isMounted(this.#wanted)) this.#wanted = undefined;
    return isNews;
  }

  /** Scrolls to where the reader is, once the list has its height. */
  scroll(): void {
    const element = this.#element;
    if (!element || Math.abs(element.scrollTop - this.#top) < 1) return;
    element.scrollTop = this.#top;
    this.#top = element.scrollTop;
  }

  /** The end is no longer kept in sight. */
  letGo(): void {
    this.#follow(false);
  }

  /** The end is kept in sight from now on. */
  toEnd(): void {
    this.#follow(true);
  }

  /** Scrolls as little as it takes to see a row. */
  reveal(index: number): void {
    const element = this.#element;
    if (!element) return;
    const [top, bottom] = [this.layout.top(index), this.layout.top(index + 1)];
    if (top < this.#top) this.#top = top;
    else if (bottom > this.#top + element.clientHeight) this.#top = bottom - element.clientHeight;
    this.#changed();
  }

  /** Brings the row with this key into view, as soon as it is there. The end is no longer kept in sight. */
  show(key: string): void {
    this.letGo();
    this.#wanted = key;
    this.#changed();
  }

  /** What the element has above and below the list. */
  get #padding(): number {
    return (this.#element?.scrollHeight ?? 0) - (this.#list?.offsetHeight ?? 0);
  }

  #isMounted(key: string | undefined): boolean {
    const { layout } = this;
    return Array.from(this.#list?.children ?? []).some(
      (it) => layout.rows[Number((it as HTMLElement).dataset.index)]?.key === key,
    );
  }

  #follow(isFollowing: boolean): void {
    this.#wanted = undefined;
    if (this.isFollowing === isFollowing) return;
    this.isFollowing = isFollowing;
    this.seen = this.layout.rows.length;
    this.#changed();
  }

  #scrolled(): void {
    const element = this.#element;
    if (!element) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    if (Math.abs(scrollTop - this.#top) < 1 || this.#wanted !== undefined) return;
    const isUpward = scrollTop < this.#top;
    this.#top = scrollTop;
    // A bar that is dragged is no wheel and no key.
    if (isUpward) this.letGo();
    else if (scrollHeight - scrollTop - clientHeight <= NEAR_END) this.toEnd();
    this.#changed();
  }

  #touched({ touches }: TouchEvent): void {
    this.#touchY = touches[0]?.clientY ?? 0;
  }

  /** Nothing moves under a finger that presses or selects; what was selected stays where it is. */
  #held(): void {
    // Who is pressed right after it was scrolled into view is here before the event of the scroll is.
    this.#scrolled();
    this.#isHeld = true;
    const ended = new AbortController();
    const release = (): void => {
      ended.abort();
      this.#isHeld = false;
      const selection = document.getSelection();
      if (selection && !selection.isCollapsed && this.#list?.contains(selection.anchorNode)) this.letGo();
      this.#changed();
    };
    for (const type of ['pointerup', 'pointercancel', 'dragend']) {
      document.addEventListener(type, release, { signal: ended.signal });
    }
  }
}
