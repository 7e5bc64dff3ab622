import type { FocusEvent, KeyboardEvent } from 'react';
import type { TimelineRow } from '../timeline.ts';
import type { Own } from './element.ts';
import type { Scroller } from './scroller.ts';

/** Where keys are text. */
const TYPING = 'input, textarea, select, [contenteditable]';
const FOLDS: ReadonlySet<string> = new Set(['agent', 'group', 'thinking', 'tool']);

/**
 * The keys of a list of rows: ↑ ↓ (k j) and Home move the focus, ← → fold, ← on a row without anything to fold goes to the
 * agent above it, End follows the end. The focus itself never moves without a key.
 */
export class RowFocus {
  readonly #scroller: Scroller;
  readonly #changed: () => void;
  #focused: { readonly key: string; readonly near: number } | undefined;
  #wanted: number | undefined;

  constructor(scroller: Scroller, changed: () => void) {
    this.#scroller = scroller;
    this.#changed = changed;
  }

  /** The index of the row that has the focus, which stays mounted; −1 for none. */
  get kept(): number {
    return this.#focused ? this.#scroller.layout.indexOf(this.#focused.key, this.#focused.near) : -1;
  }

  handlers(
    rows: readonly TimelineRow[],
    toggle: (row: TimelineRow) => void,
  ): Pick<Own, 'onKeyDown' | 'onFocus' | 'onBlur'> {
    return {
      onKeyDown: (event) => this.#press(event, rows, toggle),
      onFocus: ({ target }) => {
        const near = indexOf(target);
        const row = rows[near];
        if (row && row.key !== this.#focused?.key) this.#focus({ key: row.key, near });
      },
      onBlur: ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>) => {
        if (!currentTarget.contains(relatedTarget)) this.#focus(undefined);
      },
    };
  }

  /** After rendering: focuses the row that a key asked for. */
  settle(list: HTMLElement | null): void {
    if (this.#wanted === undefined) return;
    list?.querySelector<HTMLElement>(`[data-index="${this.#wanted}"]`)?.focus({ preventScroll: true });
    this.#wanted = undefined;
  }

  #focus(focused: { readonly key: string; readonly near: number } | undefined): void {
    this.#focused = focused;
    this.#changed();
  }

  #go(rows: readonly TimelineRow[], index: number): void {
    const row = rows[index];
    if (!row) return;
    this.#scroller.letGo();
    this.#wanted = index;
    this.#focus({ key: row.key, near: index });
    this.#scroller.reveal(index);
  }

  #press(event: KeyboardEvent<HTMLElement>, rows: readonly TimelineRow[], toggle: (row: TimelineRow) => void): void {
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest(TYPING)) return;
    const at = indexOf(target);
    const row = rows[at];
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        this.#go(rows, at < 0 ? this.#scroller.first : at + 1);
        break;
      case 'ArrowUp':
      case 'k':
        this.#go(rows, at < 0 ? this.#scroller.first : at - 1);
        break;
      case 'Home':
        this.#go(rows, 0);
        break;
      case 'End':
        this.#scroller.toEnd();
        break;
      case 'ArrowLeft':
        if (row?.isOpen && FOLDS.has(row.kind)) toggle(row);
        else if (row)
          this.#go(
            rows,
            rows.findLastIndex((it, i) => i < at && it.depth < row.depth),
          );
        break;
      case 'ArrowRight':
        if (row && !row.isOpen && FOLDS.has(row.kind)) toggle(row);
        break;
      case 'PageUp':
        this.#scroller.letGo();
        return;
      default:
        return;
    }
    event.preventDefault();
  }
}

const indexOf = (element: HTMLElement): number =>
  Number(element.closest<HTMLElement>('[data-index]')?.dataset.index ?? -1);
