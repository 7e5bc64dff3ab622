import { useEffect, useState } from 'react';

type Listener = (text: string) => void;
const listeners = new Map<string | undefined, Set<Listener>>();

/** Has the run's announcer say what no log knows: that what was asked for here did not get through. */
export function useSaying(runId: string | undefined, text: string | undefined): void {
  useEffect(() => {
    if (text) for (const listener of listeners.get(runId) ?? []) listener(text);
  }, [runId, text]);
}

/** What the parts of a run have to say, until `news` takes its place. */
export function useHearing(runId: string | undefined, news: unknown): string | undefined {
  const [heard, hear] = useState<string>();
  useEffect(() => {
    const all = listeners.get(runId) ?? new Set();
    listeners.set(runId, all.add(hear));
    return () => {
      all.delete(hear);
      if (all.size === 0) listeners.delete(runId);
    };
  }, [runId]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => hear(undefined), [news]);
  return heard;
}
