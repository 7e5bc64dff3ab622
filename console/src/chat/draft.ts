import { useEffect, useState } from 'react';

const keyOf = (threadId: string): string => `telltale.draft.${threadId}`;

function stored(threadId: string): string {
  try {
    return sessionStorage.getItem(keyOf(threadId)) ?? '';
  } catch {
    return '';
  }
}

/** What is typed and not sent yet. A reload does not lose it. */
export function useDraft(threadId: string): [string, (text: string | ((before: string) => string)) => void] {
  const [text, setText] = useState(() => stored(threadId));
  useEffect(() => {
    try {
      if (text === '') sessionStorage.removeItem(keyOf(threadId));
      else sessionStorage.setItem(keyOf(threadId), text);
    } catch {
      // Storage may be forbidden: the draft lasts as long as the page.
    }
  }, [threadId, text]);
  return [text, setText];
}
