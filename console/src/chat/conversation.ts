import { useEffect, useMemo } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { type RunListResult, type ThreadResult, useRuns, useThread } from 'telltale/react';

const NONE: readonly RunSnapshot[] = [];

/** A run that another run started is no question. */
const isQuestion = (run: RunSnapshot): boolean => run.parentRunId === undefined;
const isGoingOn = ({ status }: RunSnapshot): boolean =>
  status === 'queued' || status === 'running' || status === 'paused';

/** All questions of a conversation, oldest first; one that did not change stays the same object. */
export function useQuestions(threadId: string): readonly RunSnapshot[] {
  const runs = useThread(threadId, { select: runsOf });
  return useMemo(() => runs.filter(isQuestion), [runs]);
}
const runsOf = ({ data }: ThreadResult): readonly RunSnapshot[] => data?.runs ?? NONE;

/** What of a run counts for what can be asked of it. */
export interface Question {
  readonly runId: string;
  readonly agent: string | undefined;
  readonly status: RunSnapshot['status'];
  readonly input: unknown;
}

const first = ({ data }: ThreadResult) => told(data?.runs.find(isQuestion));
const last = ({ data }: ThreadResult) => told(data?.runs.findLast(isQuestion));
const open = ({ data }: ThreadResult) => told(data?.runs.findLast((it) => isQuestion(it) && isGoingOn(it)));
const told = (run: RunSnapshot | undefined): Question | undefined =>
  run && { runId: run.runId, agent: run.agent, status: run.status, input: run.input };

/** The question that a conversation began with, the newest one, and the newest that is not answered. */
export const useFirst = (threadId: string): Question | undefined => useThread(threadId, { select: first });
export const useLast = (threadId: string): Question | undefined => useThread(threadId, { select: last });
export const useOpen = (threadId: string): Question | undefined => useThread(threadId, { select: open });

/** Whether nothing was asked yet, why nothing can be known of that, and what looks again. */
export interface Beginning {
  readonly isNew: boolean;
  /** Nobody connects by himself any more. */
  readonly isClosed: boolean;
  readonly trouble: ThreadResult['error'];
  readonly reconnect: () => void;
}

const beginning = ({ connection, error, data, reconnect }: ThreadResult): Beginning => {
  const isClosed = connection === 'closed';
  const isEmpty = isClosed && !data;
  const isNew = isEmpty && error?.code === 'thread_not_found';
  return { isNew, isClosed, trouble: isEmpty && !isNew ? error : undefined, reconnect };
};
const isAny = ({ data }: RunListResult): boolean => (data?.length ?? 0) > 0;

/**
 * Whether a conversation has begun. A thread that is not there yet has no stream: until somebody asks, here or anywhere,
 * the list of its runs is watched.
 */
export function useBeginning(threadId: string): Beginning {
  const begun = useThread(threadId, { select: beginning });
  const { isNew, reconnect } = begun;
  const hasBegun = useRuns({ threadId, limit: 1 }, { enabled: isNew, select: isAny });
  useEffect(() => {
    if (isNew && hasBegun) reconnect();
  }, [isNew, hasBegun, reconnect]);
  return begun;
}
