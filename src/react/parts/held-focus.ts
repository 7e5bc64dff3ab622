import { useEffect, useRef } from 'react';
import type { Own } from './element.ts';

/**
 * Keeps the focus in a part whose buttons go away: whoever was on one of them is on the part itself then, not at the top of
 * the page. The focus of anybody else is left alone.
 *
 * @param shown what the part shows; when that is another, something may have gone away.
 */
export function useHeldFocus(shown: unknown): Pick<Own, 'tabIndex' | 'onFocus' | 'onBlur'> {
  const holder = useRef<HTMLElement | undefined>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => {
    const part = holder.current;
    if (part && !part.contains(document.activeElement)) part.focus();
  }, [shown]);
  return {
    tabIndex: -1,
    onFocus: ({ currentTarget }) => {
      holder.current = currentTarget;
    },
    onBlur: ({ currentTarget, relatedTarget }) => {
      // A window that is left keeps its place: what has the focus in it has it still.
      if (!currentTarget.contains(relatedTarget ?? document.activeElement)) holder.current = undefined;
    },
  };
}
