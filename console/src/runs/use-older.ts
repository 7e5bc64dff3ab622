import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ListedRun, RunFilter } from 'telltale/client';
import { useTelltale } from 'telltale/react';

/** So many runs a page. */
const PAGE = 200;

export interface Older {
  /** Older than those of the live list. */
  readonly runs: readonly ListedRun[];
  readonly hasMore: boolean;
  readonly isPending: boolean;
  readonly error: Error | null;
  load(): void;
}

/** What lies before a live list, page by page, when it is asked for. */
export function useOlder(filter: RunFilter, live: readonly ListedRun[], hasOlder: boolean): Older {
  const client = useTelltale();
  const { data, fetchNextPage, hasNextPage, isFetching, error } = useInfiniteQuery({
    queryKey: ['runs', filter],
    queryFn: ({ pageParam }) =>
      client.list({ ...filter, limit: PAGE, ...(pageParam !== undefined && { before: pageParam }) }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    enabled: false,
  });
  const runs = useMemo(() => {
    const known = new Set(live.map(({ runId }) => runId));
    const oldest = live.at(-1)?.createdAt ?? '';
    return (data?.pages ?? [])
      .flatMap((page) => page.runs)
      .filter(({ runId, createdAt }) => createdAt <= oldest && !known.has(runId));
  }, [data, live]);
  return {
    runs,
    hasMore: data ? hasNextPage : hasOlder,
    isPending: isFetching,
    error,
    load: () => void fetchNextPage(),
  };
}
