import { getRouteApi } from '@tanstack/react-router';
import { useCallback } from 'react';
import type { RunSearch } from './search.ts';

const route = getRouteApi('/runs/$runId');

type Change = { readonly [Name in keyof RunSearch]?: RunSearch[Name] | undefined };

/** What of the run is looked at, which is what the address says, and the way to look at something else. */
export interface Look extends Omit<RunSearch, 'at'> {
  readonly runId: string;
  /** `undefined` takes something out of the address. Going back leads to the page before, not through all of this. */
  readonly look: (change: Change) => void;
}

export function useLook(): Look {
  const { runId } = route.useParams();
  const search = route.useSearch({ select: whatOf, structuralSharing: true });
  const navigate = route.useNavigate();
  const look = useCallback(
    (change: Change): void => {
      void navigate({
        search: (before) => ({ ...before, ...change }) as RunSearch,
        replace: true,
        resetScroll: false,
      });
    },
    [navigate],
  );
  return { ...search, runId, look };
}

/** The moment is not among it: hooks and parts show it by themselves, many times a second while somebody drags. */
const whatOf = ({ view, event, show, step, find }: RunSearch): Omit<RunSearch, 'at'> => ({
  ...(view && { view }),
  ...(event !== undefined && { event }),
  ...(show && { show }),
  ...(step !== undefined && { step }),
  ...(find !== undefined && { find }),
});
