import { type FocusEvent, type KeyboardEvent, type RefObject, useEffect, useRef, useState } from 'react';
import type { TimelineRow } from '../timeline.ts';
import type { Own } from './element.ts';
import type { Scroller } from './scroller.ts';

export interface RowFocus {
  /** The index of the row that has the focus, which stays mounted; −1 for none. */
  readonly kept: number;
  readonly handlers: Pick<Own, 'onKeyDown' | 'onFocus' | 'onBlur'>;
}

/** Where keys are text. */
const TYPING = 'input, textarea, select, [contenteditable]';
const FOLDS: ReadonlySet<string> = new Set(['agent', 'thinking', 'tool']);

/**
 * The keys of a list of rows: ↑ ↓ (k j) and Home move the focus, ← → fold, ← on a row without anything to fold goes to the
 * agent above it, End follows the end. The focus itself never moves without a key.
 */
export function useRowFocus(
  rows: readonly TimelineRow[],
  scroller: Scroller,
  toggle: (row: TimelineRow) => void,
  list: RefObject<HTMLElement | null>,
): RowFocus {
  const [focused, setFocused] = useState<{ readonly key: string; readonly near: number }>();
  const wanted = useRef<number>(undefined);
  const kept = focused ? scroller.layout.indexOf(focused.key, focused.near) : -1;

  useEffect(() => {
    if (wanted.current === undefined) return;
    list.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"]`)?.focus({ preventScroll: true });
    wanted.current = undefined;
  });

  const go = (index: number): void => {
    const row = rows[index];
    if (!row) return;
    scroller.letGo();
    wanted.current = index;
    setFocused({ key: row.key, near: index });
    scroller.reveal(index);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>): void => {
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest(TYPING)) return;
    const at = indexOf(target);
    const row = rows[at];
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        go(at < 0 ? scroller.first : at + 1);
        break;
      case 'ArrowUp':
      case 'k':
        go(at < 0 ? scroller.first : at - 1);
        break;
      case 'Home':
        go(0);
        break;
      case 'End':
        scroller.toEnd();
        break;
      case 'ArrowLeft':
        if (row?.isOpen && FOLDS.has(row.kind)) toggle(row);
        else if (row) go(rows.findLastIndex((it, i) => i < at && it.depth < row.depth));
        break;
      case 'ArrowRight':
        if (row && !row.isOpen && FOLDS.has(row.kind)) toggle(row);
        break;
      case 'PageUp':
        scroller.letGo();
        return;
      default:
        return;
    }
    event.preventDefault();
  };

  const onFocus = ({ target }: FocusEvent<HTMLElement>): void => {
    const near = indexOf(target);
    const row = rows[near];
    if (row && row.key !== focused?.key) setFocused({ key: row.key, near });
  };
  const onBlur = ({ currentTarget, relatedTarget }: FocusEvent<HTMLElement>): void => {
    if (!currentTarget.contains(relatedTarget)) setFocused(undefined);
  };
  return { kept, handlers: { onKeyDown, onFocus, onBlur } };
}

const indexOf = (element: HTMLElement): number =>
  Number(element.closest<HTMLElement>('[data-index]')?.dataset.index ?? -1);
