import { useEffect, useMemo } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { type RunListResult, type ThreadResult, useRuns, useThread } from 'telltale/react';

/** A conversation as it stands. */
export interface Conversation {
  /** Its questions, oldest first; `undefined` until they are here. */
  readonly runs: readonly RunSnapshot[] | undefined;
  /** Nothing was asked yet. */
  readonly isNew: boolean;
  /** Connects now: out of a wait, and where there was nothing to connect to. */
  readonly reconnect: () => void;
}

const NONE: readonly RunSnapshot[] = [];
const select = ({ data, connection, error, reconnect }: ThreadResult) => ({
  runs: data?.runs,
  isNew: connection === 'closed' && error?.code === 'thread_not_found',
  reconnect,
});

const isAny = ({ data }: RunListResult): boolean => (data?.length ?? 0) > 0;

/**
 * All questions of a thread, live, over one stream. A run that another run started is no question. A thread that is not
 * there yet has no stream: until somebody asks, here or anywhere, the list of its runs is watched.
 */
export function useConversation(threadId: string): Conversation {
  const { runs, isNew, reconnect } = useThread(threadId, { select });
  const hasBegun = useRuns({ threadId, limit: 1 }, { enabled: isNew, select: isAny });
  useEffect(() => {
    if (isNew && hasBegun) reconnect();
  }, [isNew, hasBegun, reconnect]);
  const questions = useMemo(() => runs?.filter((it) => it.parentRunId === undefined), [runs]);
  return { runs: isNew ? NONE : questions, isNew, reconnect };
}

export const isGoingOn = ({ status }: RunSnapshot): boolean =>
  status === 'queued' || status === 'running' || status === 'paused';
