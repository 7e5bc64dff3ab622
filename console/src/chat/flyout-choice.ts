import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useRef } from 'react';

const route = getRouteApi('/chat/$threadId');

/** Which answer's thinking is open: the reader's choice, and nobody else's. It stands in the address. */
export interface FlyoutChoice {
  readonly thinking: string | undefined;
  readonly toggle: (runId: string) => void;
  readonly close: () => void;
}

export function useFlyoutChoice(): FlyoutChoice {
  const { thinking } = route.useSearch();
  const navigate = route.useNavigate();
  const latest = useRef(thinking);
  latest.current = thinking;
  const show = useCallback(
    (runId: string | undefined): void => {
      const search = runId === undefined ? {} : { thinking: runId };
      void navigate({ search, replace: true, resetScroll: false });
    },
    [navigate],
  );
  const toggle = useCallback((runId: string) => show(latest.current === runId ? undefined : runId), [show]);
  const close = useCallback((): void => {
    if (latest.current === undefined) return;
    // Whoever was in it goes back to where it was opened.
    const chip = document.querySelector<HTMLElement>(`.work-chip[data-run="${latest.current}"]`);
    if (document.activeElement?.closest('.flyout')) chip?.focus();
    show(undefined);
  }, [show]);
  return { thinking, toggle, close };
}
