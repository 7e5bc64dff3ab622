'use client';

import { type CSSProperties, forwardRef, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { type RunResult, useRun } from '../use-run.ts';
import { useHearing } from './aloud.ts';
import { element, type OfRun, type PartProps } from './element.ts';
import type { Labels } from './labels.ts';
import { restingLine, standingOf } from './standing.ts';
import { visible } from './visible.ts';
import { useWords } from './words.ts';

/** At most one message in so many milliseconds: a screen reader that is interrupted says nothing. */
const PACE_MS = 5_000;
/** Catching up is worth a word only where it takes so long. */
const PATIENCE_MS = 2_000;

/** Not seen, still read: `display: none` is not. */
const UNSEEN: CSSProperties = {
  position: 'absolute',
  width: 1,
  height: 1,
  overflow: 'hidden',
  clipPath: 'inset(50%)',
  whiteSpace: 'nowrap',
};

interface News {
  /** What stands so; the same as long as there is nothing new to say. */
  readonly key: string;
  readonly text: string;
  /** A failure, or a question that somebody has to answer. */
  readonly isUrgent: boolean;
}

/**
 * Tells a screen reader what changes in a run: a sentence per change, at most one in five seconds, and never what is
 * streamed. Put one on a page; the other parts are silent. Of changes that follow each other faster the last is told.
 *
 * @example
 * <Announcer runId={runId} />
 */
export const Announcer = forwardRef<HTMLDivElement, PartProps<'div', { readonly text: string }> & OfRun>(
  function Announcer(props, ref) {
    const { runId, from, initialSnapshot, ...given } = props;
    const source = { from, initialSnapshot };
    const { labels, locale } = useWords();
    const select = useCallback((run: RunResult) => newsOf(run, labels, locale), [labels, locale]);
    const told = useRun(runId, { ...source, select, isEqual: isSame });
    const heard = useHearing(runId, told);
    const ours = useMemo(() => heard && { key: heard, text: heard, isUrgent: true }, [heard]);
    const news = usePaced(ours || told);
    const say = (isUrgent: boolean): string => (news?.isUrgent === isUrgent ? news.text : '');
    const children = (
      <>
        <div role="status">{say(false)}</div>
        <div role="alert">{say(true)}</div>
      </>
    );
    const own = { slot: 'announcer', style: UNSEEN, children };
    return element('div', own, given, { text: news?.text ?? '' }, ref as never);
  },
);

const isSame = (a: News | undefined, b: News | undefined): boolean => a?.key === b?.key;

/** The news that may be told now. */
function usePaced(news: News | undefined): News | undefined {
  const [told, tell] = useState<News>();
  const last = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    if (!news) return;
    const wait = Math.max(last.current + PACE_MS - performance.now(), news.key === 'catching-up' ? PATIENCE_MS : 0);
    const timer = setTimeout(() => {
      last.current = performance.now();
      tell(news);
    }, wait);
    return () => clearTimeout(timer);
  }, [news]);
  return told;
}

/** What matters most of all that is so. */
function newsOf(run: RunResult, labels: Labels, locale: string): News | undefined {
  const { data } = run;
  const standing = standingOf(run);
  const news = (key: string, text: string, isUrgent = false): News => ({ key, text, isUrgent });
  const resting = restingLine(standing, run, labels, locale);
  if (resting !== undefined) return news(standing, resting, standing === 'failed' || standing === 'lost');
  if (standing === 'reconnecting') return news(standing, labels.reconnecting(undefined, undefined, locale));
  if (standing === 'offline') return news(standing, labels.offline(locale));
  if (standing === 'catching-up') return news(standing, labels.catchingUp(run.lastSeq, run.latest, locale));
  if (standing !== 'live' || !data) return undefined;
  const asked = data.approvals.findLast(({ status }) => status === 'requested');
  if (asked) return news(`approval ${asked.id}`, labels.approval(visible(asked.prompt), locale), true);
  const running = ({ status }: { readonly status: string }): boolean => status === 'running';
  const answer = data.messages.findLast(running);
  const steps = data.plan?.stepIds ?? [];
  const step = data.steps.findLast((it) => running(it) && steps.includes(it.id));
  const thinking = data.reasoning.findLast(running);
  // What people did is told until the run goes on to something else.
  const since = Math.max(0, ...[answer, step, thinking].map((it) => it?.startSeq ?? 0));
  const command = data.commands.at(-1);
  if (command && (command.endSeq ?? command.seq) > since) {
    const { id, status, error } = command;
    const [by, message] = [command.by, error?.message].map((it) => (it === undefined ? it : visible(it)));
    return news(`command ${id} ${status}`, labels.commandLine(command.command, status, by, message, locale));
  }
  const settled = data.approvals.findLast(({ status }) => status === 'resolved');
  if (settled?.endSeq !== undefined && settled.endSeq > since) {
    const { id, decision = '', by } = settled;
    const option = labels.approvalOption(visible(decision), locale);
    return news(`answer to ${id}`, labels.approvalResolved(option, by === undefined ? by : visible(by), locale));
  }
  if (answer) return news('answer', labels.announceAnswer(locale));
  if (step) {
    const text = labels.announceStep(steps.indexOf(step.id) + 1, steps.length, visible(step.name), locale);
    return news(`step ${step.id}`, text);
  }
  if (thinking) return news('thinking', labels.thinking('running', undefined, 0, locale));
  return news('live', labels.announceLive(locale));
}
