import { type KeyboardEvent, type TouchEvent, useRef, useState, type WheelEvent } from 'react';

/** So near the end, in pixels, a reader who scrolls down wants to follow it again. */
const NEAR_END = 80;

/**
 * Whether a list keeps its end in sight. It lets go with the first gesture upward, whatever the place; scrolled back down
 * to the end it follows again.
 */
export function useFollow(isAtFirst: boolean) {
  const [isFollowing, setFollowing] = useState(isAtFirst);
  const touchY = useRef(0);
  const letGo = (): void => setFollowing(false);
  return {
    isFollowing,
    setFollowing,
    letGo,
    handlers: {
      onWheel: ({ deltaY, currentTarget }: WheelEvent<HTMLElement>) => {
        if (deltaY < 0) letGo();
        else if (isNearEnd(currentTarget)) setFollowing(true);
      },
      onTouchStart: ({ touches }: TouchEvent) => {
        touchY.current = touches[0]?.clientY ?? 0;
      },
      onTouchMove: ({ touches, currentTarget }: TouchEvent<HTMLElement>) => {
        if ((touches[0]?.clientY ?? 0) > touchY.current) letGo();
        else if (isNearEnd(currentTarget)) setFollowing(true);
      },
      onKeyDown: ({ key }: KeyboardEvent) => {
        if (['ArrowUp', 'PageUp', 'Home'].includes(key)) letGo();
        if (key === 'End') setFollowing(true);
      },
    },
  };
}

const isNearEnd = ({ scrollTop, scrollHeight, clientHeight }: HTMLElement): boolean =>
  scrollHeight - clientHeight - scrollTop < NEAR_END;
