'use client';

import { createContext, forwardRef, useEffect, useState } from 'react';
import { type RunResult, useRun } from '../use-run.ts';
import { useTicking } from './clock.ts';
import { element, type OfRun, type PartProps, partStyle, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import type { Labels } from './labels.ts';
import { type RunStanding, restingLine, standingOf } from './standing.ts';
import { useWords } from './words.ts';

export interface ConnectionStatusState {
  readonly status: RunStanding;
  /** The line the reader sees; empty for the first 400 ms of connecting. */
  readonly text: string;
  readonly run: RunResult;
}

const Connected = createContext<ConnectionStatusState | undefined>(undefined);

/** A connection that is there sooner is not worth a flicker. */
const CONNECTING_MS = 400;
const TICKING: ReadonlySet<RunStanding> = new Set(['live', 'reconnecting']);

/**
 * Where we stand with a run, in one line: the connection while it goes on, then how it ended. Its seconds are those since
 * something arrived at, or left, this page.
 *
 * @example
 * <ConnectionStatus.Root runId={runId} />
 */
export const Root = forwardRef<HTMLDivElement, PartProps<'div', ConnectionStatusState> & OfRun>(
  function ConnectionStatus(props, ref) {
    const { runId, from, initialSnapshot, ...given } = props;
    const run = useRun(runId, { from, initialSnapshot });
    const { labels, locale } = useWords();
    const status = standingOf(run);
    const lostAt = useBeginning(status === 'reconnecting');
    const isSlow = useAfter(status === 'connecting', CONNECTING_MS);
    const now = useTicking(TICKING.has(status), Date.now);
    const text = status === 'connecting' && !isSlow ? '' : lineOf(status, run, now, lostAt, labels, locale);
    const state: ConnectionStatusState = { status, text, run };
    const children = (
      <>
        <Glyph status={status} /> <Text /> <Progress /> <Retry />
      </>
    );
    const own = { slot: 'connection-status', status, children };
    return <Connected.Provider value={state}>{element('div', own, given, state, ref as never)}</Connected.Provider>;
  },
);

function lineOf(
  status: RunStanding,
  run: RunResult,
  now: number | undefined,
  lostAt: number | undefined,
  labels: Labels,
  locale: string,
): string {
  const since = (at: number | undefined): number | undefined =>
    at === undefined || now === undefined ? undefined : Math.floor(Math.max(0, now - at) / 1_000) * 1_000;
  switch (status) {
    case 'connecting':
      return labels.connecting(locale);
    case 'catching-up':
      return labels.catchingUp(run.lastSeq, run.latest, locale);
    case 'live':
      return labels.live(run.data?.events ?? 0, since(run.lastEventAt), locale);
    case 'reconnecting': {
      const wait = run.retryAt === undefined || now === undefined ? undefined : Math.ceil((run.retryAt - now) / 1_000);
      return labels.reconnecting(since(lostAt), wait === undefined || wait <= 0 ? undefined : wait * 1_000, locale);
    }
    case 'offline':
      return labels.offline(locale);
    default:
      return restingLine(status, run, labels, locale) ?? '';
  }
}

/** Since when it has been so, by this machine's clock. */
function useBeginning(isSo: boolean): number | undefined {
  const [at, setAt] = useState<number>();
  useEffect(() => setAt(isSo ? Date.now() : undefined), [isSo]);
  return isSo ? at : undefined;
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
export const Text = forwardRef<HTMLSpanElement, PartProps<'span', ConnectionStatusState>>(function Text(given, ref) {
  const state = useRoot(Connected);
  return element('span', { slot: 'connection-status-text', children: state.text }, given, state, ref as never);
});

/** How far it has caught up; nothing at any other time. */
export const Progress = forwardRef<HTMLDivElement, PartProps<'div', ConnectionStatusState>>(
  function Progress(given, ref) {
    const state = useRoot(Connected);
    if (state.status !== 'catching-up') return null;
    const { lastSeq, latest } = state.run;
    const own = {
      slot: 'connection-status-progress',
      role: 'progressbar',
      'aria-label': state.text,
      'aria-valuemin': 0,
      'aria-valuenow': lastSeq,
      'aria-valuemax': latest,
      style: partStyle(lastSeq / Math.max(1, latest)),
    };
    return element('div', own, given, state, ref as never);
  },
);

/** Connects now; there while we wait for the next attempt, or have given up. */
export const Retry = forwardRef<HTMLButtonElement, PartProps<'button', ConnectionStatusState>>(
  function Retry(given, ref) {
    const state = useRoot(Connected);
    const { labels, locale } = useWords();
    if (state.status !== 'reconnecting' && state.status !== 'lost') return null;
    const { reconnect } = state.run;
    const own = {
      slot: 'connection-status-retry',
      type: 'button' as const,
      onClick: reconnect,
      children: labels.retry(locale),
    };
    return element('button', own, given, state, ref as never);
  },
);
