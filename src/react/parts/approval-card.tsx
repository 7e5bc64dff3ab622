'use client';

import { createContext, forwardRef, type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { type ApprovalResult, useApproval } from '../use-approval.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { useSaying } from './aloud.ts';
import { useTicking } from './clock.ts';
import { element, type OfRun, type PartProps, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { useHeldFocus } from './held-focus.ts';
import { visible } from './visible.ts';
import { useWords } from './words.ts';

export interface ApprovalCardState extends ApprovalResult {
  /** What is typed so far; it goes with the answer. */
  readonly comment: string;
  /** Everything that can be said of the answer; empty while there is none. */
  readonly outcome: string;
}

interface Shown {
  readonly state: ApprovalCardState;
  readonly source: OfRun;
  readonly by: string | undefined;
  readonly promptId: string;
  readonly outcomeId: string;
  readonly type: (comment: string) => void;
}

const Card = createContext<Shown | undefined>(undefined);

export type RootProps = PartProps<'div', ApprovalCardState> &
  OfRun & {
    readonly approvalId: string;
    /** Who answers here, where the server does not know that by itself. */
    readonly by?: string | undefined;
  };

/**
 * A question of a run, and its answer once there is one, from whatever tab. Only a press on one of its buttons answers: no
 * key does it from elsewhere, the focus never comes here by itself, and a press in the first half second is not taken.
 *
 * @example
 * data.approvals.map(({ id }) => <ApprovalCard.Root key={id} runId={runId} approvalId={id} />);
 */
export const Root = forwardRef<HTMLDivElement, RootProps>(function ApprovalCard(props, ref) {
  const { runId, from, initialSnapshot, approvalId, by, ...given } = props;
  const source = { runId, from, initialSnapshot };
  const result = useApproval(runId, approvalId, source);
  const { status, isPending } = result;
  const [comment, type] = useState('');
  const promptId = useId();
  const outcomeId = useId();
  const focus = useHeldFocus(status);
  const outcome = useOutcome(result);
  useSaying(runId, result.error && outcome);
  if (!result.approval) return null;
  const state: ApprovalCardState = { ...result, comment, outcome };
  const children = (
    <>
      <Prompt /> <Deadline />
      <Comment />
      <Options />
      <Outcome />
    </>
  );
  const own = {
    slot: 'approval',
    status,
    agent: result.approval.agentId,
    role: 'group',
    'aria-labelledby': promptId,
    'aria-describedby': outcome ? outcomeId : undefined,
    'aria-busy': isPending,
    ...focus,
    children,
  };
  return (
    <Card.Provider value={{ state, source, by, promptId, outcomeId, type }}>
      {element('div', own, given, state, ref as never)}
    </Card.Provider>
  );
});

function useOutcome({ status, approval, isPending, error }: ApprovalResult): string {
  const { labels, locale } = useWords();
  if (isPending && status === 'requested') return labels.approvalSending(locale);
  const parts = [error && labels.approvalFailed(visible(error.message), locale)];
  if (status === 'expired') parts.push(labels.approvalExpired(locale));
  if (status === 'resolved') {
    const { decision = '', by } = approval ?? {};
    const option = labels.approvalOption(visible(decision), locale);
    parts.push(labels.approvalResolved(option, by === undefined ? by : visible(by), locale));
  }
  return parts.filter(Boolean).join(' ');
}

/** What is asked. */
export const Prompt = forwardRef<HTMLDivElement, PartProps<'div', ApprovalCardState>>(function Prompt(given, ref) {
  const { state, promptId } = useRoot(Card);
  const children = (
    <>
      <Glyph status={state.status} /> {visible(state.approval?.prompt ?? '', true)}
    </>
  );
  const own = {
    slot: 'approval-prompt',
    id: promptId,
    dir: 'auto',
    style: { whiteSpace: 'pre-wrap' },
    children,
  } as const;
  return element('div', own, given, state, ref as never);
});

/** The time that is left to answer; nothing where there is no deadline. */
export const Deadline = forwardRef<HTMLSpanElement, PartProps<'span', ApprovalCardState>>(
  function Deadline(given, ref) {
    const { state } = useRoot(Card);
    const { labels, locale } = useWords();
    const hasDeadline = state.status === 'requested' && state.approval?.expiresAt !== undefined;
    const ms = useTicking(hasDeadline, state.msLeft);
    if (ms === undefined) return null;
    // A timer is not read out as it ticks (WAI-ARIA 1.2, 5.4).
    const children = labels.approvalLeft(Math.floor(ms / 1_000) * 1_000, locale);
    return element('span', { slot: 'approval-deadline', role: 'timer', children }, given, state, ref as never);
  },
);

/** Where people say why. Enter is a new line in it, and answers nothing. */
export const Comment = forwardRef<HTMLTextAreaElement, PartProps<'textarea', ApprovalCardState>>(
  function Comment(given, ref) {
    const { state, type } = useRoot(Card);
    const { labels, locale } = useWords();
    if (state.status !== 'requested') return null;
    const own = {
      slot: 'approval-comment',
      rows: 1,
      value: state.comment,
      readOnly: state.isPending,
      'aria-label': labels.approvalComment(locale),
      placeholder: labels.approvalComment(locale),
      onChange: ({ target }: { readonly target: unknown }) => type((target as HTMLTextAreaElement).value),
    };
    return element('textarea', own, given, state, ref as never);
  },
);

/** Whoever presses so soon after it appeared, in milliseconds, meant what was there before. */
const SETTLE_MS = 500;

/** A button for each option. */
export const Options = forwardRef<HTMLDivElement, PartProps<'div', ApprovalCardState>>(function Options(given, ref) {
  const { state, by } = useRoot(Card);
  const { labels, locale } = useWords();
  const shownAt = useRef(Number.POSITIVE_INFINITY);
  useEffect(() => {
    shownAt.current = performance.now();
  }, []);
  if (state.status !== 'requested') return null;
  const answer = (option: string): void => {
    if (state.isPending || performance.now() - shownAt.current < SETTLE_MS) return;
    const comment = state.comment.trim();
    void state.answer(option, { ...(by !== undefined && { by }), ...(comment && { comment }) });
  };
  const button = (option: string): ReactElement => (
    // Not `disabled`: that would take the focus away.
    <button
      key={option}
      type="button"
      data-slot="approval-option"
      data-option={option}
      aria-disabled={state.isPending || undefined}
      onClick={() => answer(option)}
    >
      {labels.approvalOption(visible(option), locale)}
    </button>
  );
  return element('div', { slot: 'approval-options', children: state.options.map(button) }, given, state, ref as never);
});

/** What was answered, by whom and when, why that does not count, or that it is under way. */
export const Outcome = forwardRef<HTMLDivElement, PartProps<'div', ApprovalCardState>>(function Outcome(given, ref) {
  const { state, source, outcomeId } = useRoot(Card);
  const { labels, locale } = useWords();
  const { outcome, approval, error, isPending } = state;
  const endSeq = approval?.endSeq;
  const time = useRun(source.runId, {
    ...source,
    select: ({ events }: RunResult) =>
      endSeq === undefined ? undefined : events.find((it) => it.seq === endSeq)?.time,
  });
  if (!outcome) return null;
  const children = (
    <>
      {outcome}
      {time !== undefined && (
        <>
          {' '}
          <time dateTime={time}>{labels.time(time, locale)}</time>
        </>
      )}
      {approval?.comment !== undefined && (
        <div data-slot="approval-said" dir="auto" style={{ whiteSpace: 'pre-wrap' }}>
          {visible(approval.comment, true)}
        </div>
      )}
    </>
  );
  const status = error && !isPending ? 'failed' : state.status;
  return element('div', { slot: 'approval-outcome', id: outcomeId, status, children }, given, state, ref as never);
});
