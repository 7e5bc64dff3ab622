import { useDeferredValue, useState } from 'react';
import { useFind } from 'telltale/react';
import { useLook } from './look.ts';

/** A text that is looked for in a run, where it is, and which of those places is looked at. */
export interface Finding {
  readonly text: string;
  readonly set: (text: string) => void;
  /** `3 of 14`, or how many there are as long as none is looked at. */
  readonly standing: string;
  readonly hasMatches: boolean;
  /** Goes so many places on; after the last comes the first. */
  readonly go: (by: 1 | -1) => void;
}

/** @param reveal shows the row with a key. */
export function useFinding(runId: string, reveal: (rowKey: string) => void): Finding {
  const { find = '', look } = useLook();
  const [text, setText] = useState(find);
  const { matches, isSearching } = useFind(runId, useDeferredValue(text.trim()));
  const [current, setCurrent] = useState<(typeof matches)[number]>();
  const at = current ? matches.indexOf(current) : -1;
  const more = isSearching ? '…' : '';
  return {
    text,
    set(next) {
      setText(next);
      setCurrent(undefined);
      look({ find: next.trim() || undefined });
    },
    standing:
      text.trim() === '' ? '' : at < 0 ? `${matches.length}${more} found` : `${at + 1} of ${matches.length}${more}`,
    hasMatches: matches.length > 0,
    go(by) {
      const from = at < 0 && by < 0 ? 0 : at;
      const match = matches[(from + by + matches.length) % matches.length];
      if (!match) return;
      setCurrent(match);
      reveal(match.rowKey);
    },
  };
}
