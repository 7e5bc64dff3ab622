'use client';

import { createContext, useEffect, useState } from 'react';
import { type RunResult, useRun } from '../use-run.ts';
import { useTicking } from './clock.ts';
import { type OfRun, type PartProps, partOf, rangeOf, rootOf, type Shown } from './element.ts';
import { Glyph } from './glyph.tsx';
import { type RunStanding, restingLine, standingOf } from './standing.ts';
import type { Words } from './words.ts';

export interface ConnectionStatusState {
  readonly status: RunStanding;
  /** The line the reader sees; empty for the first 400 ms of connecting. */
  readonly text: string;
  readonly run: RunResult;
}

const Connected = createContext<Shown<ConnectionStatusState> | undefined>(undefined);

export type RootProps = PartProps<'div', ConnectionStatusState> & OfRun;

/** A connection that is there sooner is not worth a flicker. */
const CONNECTING_MS = 400;
const TICKING: ReadonlySet<RunStanding> = new Set(['live', 'reconnecting']);

/**
 * Where we stand with a run, in one line: the connection while it goes on, then how it ended. Its seconds are those since
 * something arrived at, or left, this page; of what was in the log before, those since its own time.
 *
 * @example
 * <ConnectionStatus.Root runId={runId} />
 */
export const Root = rootOf(Connected, 'div', 'connection-status', (props: RootProps, words) => {
  const run = useRun(props.runId, { from: props.from, initialSnapshot: props.initialSnapshot });
  const status = standingOf(run);
  const begunAt = useBeginning(status);
  const isSlow = useAfter(status === 'connecting', CONNECTING_MS);
  const now = useTicking(TICKING.has(status), Date.now);
  const text = status === 'connecting' && !isSlow ? '' : lineOf(status, run, now, begunAt, words);
  const children = (
    <>
      <Glyph status={status} /> <Text /> <ReadAgain /> <Progress /> <Retry />
    </>
  );
  return { state: { status, text, run }, own: { status, children } };
});

function lineOf(
  status: RunStanding,
  run: RunResult,
  now: number | undefined,
  begunAt: number | undefined,
  words: Words,
): string {
  const since = (at: number | undefined): number | undefined =>
    at === undefined || now === undefined ? undefined : Math.floor(Math.max(0, now - at) / 1_000) * 1_000;
  switch (status) {
    case 'connecting':
      return words.connecting();
    case 'catching-up':
      return words.catchingUp(run.lastSeq, run.latest);
    case 'live':
      return words.live(run.data?.events ?? 0, since(newestAt(run, begunAt)));
    case 'reconnecting': {
      const wait = run.retryAt === undefined || now === undefined ? 0 : Math.ceil((run.retryAt - now) / 1_000);
      return words.reconnecting(since(begunAt), wait > 0 ? wait * 1_000 : undefined);
    }
    case 'offline':
      return words.offline();
    case 'replaying':
      return words.replaying(run.data?.events ?? 0);
    default:
      return restingLine(status, run, words) ?? '';
  }
}

/**
 * When the newest event was. What came live, is told by its arrival, so that a wrong clock here changes nothing; history
 * arrives now, whenever it was, so that its own time has to do. "last 0 s ago" of a run that is stuck for an hour is a lie.
 */
function newestAt({ lastEventAt, events }: RunResult, liveAt: number | undefined): number | undefined {
  const time = Date.parse(events.at(-1)?.time ?? '');
  const isHistory = lastEventAt !== undefined && (liveAt === undefined || lastEventAt <= liveAt);
  return isHistory && time < lastEventAt ? time : lastEventAt;
}

/** Since when it has been as it is, by this machine's clock, in milliseconds since 1970. */
function useBeginning(standing: RunStanding): number | undefined {
  const [begun, begin] = useState<{ readonly standing: RunStanding; readonly at: number }>();
  useEffect(() => begin({ standing, at: Date.now() }), [standing]);
  return begun?.standing === standing ? begun.at : undefined;
}

/** Whether it has been so for so long. */
function useAfter(isSo: boolean, ms: number): boolean {
  const [isLong, setIsLong] = useState(false);
  useEffect(() => {
    setIsLong(false);
    if (!isSo) return;
    const timer = setTimeout(() => setIsLong(true), ms);
    return () => clearTimeout(timer);
  }, [isSo, ms]);
  return isSo && isLong;
}

/** The line. */
export const Text = partOf(Connected, 'span', 'connection-status-text', ({ state }) => ({ children: state.text }));

/** That the log is another one than it was, or lost its end: what is shown has been read anew. Nothing at any other time. */
export const ReadAgain = partOf(Connected, 'span', 'connection-status-read-again', ({ state: { run } }, words) =>
  run.resets > 0 ? { children: `· ${words.readAgain(run.resets)}` } : undefined,
);

/** How far it has caught up; nothing at any other time. */
export const Progress = partOf(Connected, 'div', 'connection-status-progress', ({ state: { status, text, run } }) => {
  const { lastSeq, latest } = run;
  return status === 'catching-up'
    ? { role: 'progressbar', ...rangeOf(text, lastSeq, latest, lastSeq / Math.max(1, latest)) }
    : undefined;
});

/** Connects now; there while we wait for the next attempt, or have given up. */
export const Retry = partOf(Connected, 'button', 'connection-status-retry', ({ state: { status, run } }, words) =>
  status === 'reconnecting' || status === 'lost'
    ? { type: 'button', onClick: run.reconnect, children: words.retry() }
    : undefined,
);
