import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

/** So near to the end is at the end, in pixels. */
const NEAR = 24;

export interface Following {
  /** What scrolls, and what grows in it. */
  readonly viewport: RefObject<HTMLElement | null>;
  readonly content: RefObject<HTMLOListElement | null>;
  /** The end is kept in sight. */
  readonly isFollowing: boolean;
  readonly toEnd: () => void;
}

/** Keeps the end in sight until the reader goes up; back at the end, it does so again. */
export function useFollowing(): Following {
  const viewport = useRef<HTMLElement>(null);
  const content = useRef<HTMLOListElement>(null);
  const following = useRef(true);
  const [isFollowing, setIsFollowing] = useState(true);
  const follow = useCallback((isOn: boolean): void => {
    following.current = isOn;
    setIsFollowing(isOn);
  }, []);
  const toEnd = useCallback((): void => {
    follow(true);
    viewport.current?.scrollTo({ top: viewport.current.scrollHeight });
  }, [follow]);

  useEffect(() => {
    const element = viewport.current;
    if (!element) return;
    let top = element.scrollTop;
    let height = element.scrollHeight;
    const scrolled = (): void => {
      const isAtEnd = element.scrollHeight - element.clientHeight - element.scrollTop < NEAR;
      // What became shorter moves up by itself: nobody went there.
      const wentUp = element.scrollTop < top && element.scrollHeight >= height;
      top = element.scrollTop;
      height = element.scrollHeight;
      if (isAtEnd) follow(true);
      else if (wentUp) follow(false);
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    return () => element.removeEventListener('scroll', scrolled);
  }, [follow]);

  useLayoutEffect(() => {
    const [element, list] = [viewport.current, content.current];
    if (!element || !list) return;
    const keep = (): void => {
      if (following.current) element.scrollTop = element.scrollHeight;
    };
    const observer = new ResizeObserver(keep);
    observer.observe(list);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  return { viewport, content, isFollowing, toEnd };
}
