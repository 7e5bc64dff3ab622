import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TelltaleError } from 'telltale/protocol';
import { useRun, useTelltale } from 'telltale/react';
import { EventPages } from './event-pages.ts';
import { type Matches, searching, type Wanted } from './matches.ts';

export interface Frames {
  readonly pages: EventPages;
  /** How many rows there are, and the number of each. */
  readonly count: number;
  seqAt(row: number): number;
  /** The row of a number, or of the next one that is shown. */
  rowOf(seq: number): number;
  /** The newest number of the run. */
  readonly last: number;
  /** Looked through up to this number; absent where nothing is looked for. */
  readonly through: number | undefined;
  readonly error: TelltaleError | undefined;
  retry(): void;
}

/** All events of a run as rows, or those that match; `undefined` until it is known where they begin. */
export function useFrames(runId: string, { group, text }: Wanted): Frames | undefined {
  const client = useTelltale();
  const { epoch, last } = useRun(runId, { select: ({ data }) => ({ epoch: data?.epoch, last: data?.seq ?? 0 }) });
  // A run in a conversation begins where those before it left off.
  const { data: first } = useQuery({
    queryKey: ['first', runId, epoch],
    enabled: epoch !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await client.events(runId, { limit: 1 })).events[0]?.seq ?? null,
  });
  const pages = useMemo(
    () => (epoch === undefined ? undefined : new EventPages(client, runId, epoch)),
    [client, runId, epoch],
  );
  useSyncExternalStore(pages?.subscribe ?? never, pages?.getVersion ?? zero);
  const found = useMatches(runId, epoch, first ?? undefined, last, { group, text });
  if (!pages || first == null) return undefined;
  const retry = (): void => pages.retry();
  if (!found) {
    return {
      ...{ pages, last, retry, through: undefined, error: pages.error },
      count: Math.max(0, last - first + 1),
      seqAt: (row) => first + row,
      rowOf: (seq) => Math.min(Math.max(seq, first), last) - first,
    };
  }
  const { seqs, through, error } = found;
  const rowOf = (seq: number): number => {
    const row = seqs.findIndex((it) => it >= seq);
    return row < 0 ? seqs.length - 1 : row;
  };
  return {
    pages,
    last,
    retry,
    through,
    error: error ?? pages.error,
    count: seqs.length,
    seqAt: (row) => seqs[row] as number,
    rowOf,
  };
}

const never = (): (() => void) => () => {};
const zero = (): number => 0;

function useMatches(
  runId: string,
  epoch: string | undefined,
  first: number | undefined,
  last: number,
  { group, text }: Wanted,
): Matches | undefined {
  const client = useTelltale();
  const [found, setFound] = useState<Matches>();
  const isWanted = (group !== undefined || text !== '') && epoch !== undefined && first !== undefined;
  const search = useMemo(
    () => (isWanted ? searching(client, { runId, epoch, first }, { group, text }, setFound) : undefined),
    [isWanted, client, runId, epoch, first, group, text],
  );
  useEffect(() => {
    setFound(search && { seqs: [], through: 0, error: undefined });
    return () => search?.stop();
  }, [search]);
  useEffect(() => search?.upTo(last), [search, last]);
  return search && found;
}
