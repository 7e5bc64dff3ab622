import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type RunResult, useRun } from '../use-run.ts';
import { listen } from './aloud.ts';
import type { OfRun } from './element.ts';
import { type News, newsOf } from './news.ts';
import { useWords } from './words.ts';

/** At most one message in so many milliseconds: a screen reader that is interrupted says nothing. */
const PACE_MS = 5_000;
/** Catching up is worth a word only where it takes so long. */
const PATIENCE_MS = 2_000;

interface SpeakerProps extends OfRun {
  readonly tell: (news: News) => void;
}

/** Decides what is announced of a run, and when. Shows nothing. */
export function Speaker({ tell, ...source }: SpeakerProps): null {
  const { runId } = source;
  const words = useWords();
  const select = useCallback((run: RunResult) => newsOf(run, words), [words]);
  const told = useRun(runId, { ...source, select, isEqual: isSame });
  const heard = useHearing(runId, told);
  const ours = useMemo(() => heard && { key: heard, text: heard, isUrgent: true }, [heard]);
  const news = ours || told;
  const last = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (!news) return;
    const wait = Math.max(last.current + PACE_MS - performance.now(), news.key === 'catching-up' ? PATIENCE_MS : 0);
    const timer = setTimeout(() => {
      last.current = performance.now();
      tell(news);
    }, wait);
    return () => clearTimeout(timer);
  }, [news, tell]);
  return null;
}

const isSame = (a: News | undefined, b: News | undefined): boolean => a?.key === b?.key;

/** What the parts of a run have to say, until `news` takes its place. */
function useHearing(runId: string | undefined, news: unknown): string | undefined {
  const [heard, hear] = useState<string>();
  useEffect(() => listen(runId, hear), [runId]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above.
  useEffect(() => hear(undefined), [news]);
  return heard;
}
