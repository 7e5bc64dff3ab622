import { useEffect } from 'react';

type Listener = (text: string) => void;
const listeners = new Map<string | undefined, Set<Listener>>();

/** Has the run's announcer say what no log knows: that what was asked for here did not get through. */
export function useSaying(runId: string | undefined, text: string | undefined): void {
  useEffect(() => {
    if (text) for (const listener of listeners.get(runId) ?? []) listener(text);
  }, [runId, text]);
}

/** Tells `listener` what the parts of a run have to say, until it leaves. */
export function listen(runId: string | undefined, listener: Listener): () => void {
  const all = listeners.get(runId) ?? new Set();
  listeners.set(runId, all.add(listener));
  return () => {
    all.delete(listener);
    if (all.size === 0) listeners.delete(runId);
  };
}
