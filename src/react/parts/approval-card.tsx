'use client';

import { createContext, type ReactElement, useEffect, useId, useRef, useState } from 'react';
import { type ApprovalResult, useApproval } from '../use-approval.ts';
import { useSaying } from './aloud.ts';
import { useIsHere, useTicking } from './clock.ts';
import { type OfRun, type PartProps, PRE_WRAP, partOf, type RootShown, rootOf, type Shown } from './element.ts';
import { Glyph } from './glyph.tsx';
import { useHeldFocus } from './held-focus.ts';
import { answerOf } from './standing.ts';
import { visible } from './visible.ts';
import type { Words } from './words.ts';

export interface ApprovalCardState extends ApprovalResult {
  /** What is typed so far; it goes with the answer. */
  readonly comment: string;
  /** Everything that can be said of the answer; empty while there is none. */
  readonly outcome: string;
}

interface CardShown extends Shown<ApprovalCardState> {
  readonly by: string | undefined;
  readonly promptId: string;
  readonly outcomeId: string;
  readonly type: (comment: string) => void;
}

const Card = createContext<CardShown | undefined>(undefined);

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
export const Root = rootOf(Card, 'div', 'approval', (props: RootProps, words): RootShown<CardShown> | undefined => {
  const result = useApproval(props.runId, props.approvalId, props);
  const { status, approval, isPending } = result;
  const [comment, type] = useState('');
  const promptId = useId();
  const outcomeId = useId();
  const focus = useHeldFocus(status);
  const outcome = outcomeOf(result, words);
  useSaying(props.runId, result.error && outcome);
  if (!approval) return undefined;
  const children = (
    <>
      <Prompt /> <Deadline />
      <Comment />
      <Options />
      <Outcome />
    </>
  );
  const own = {
    status,
    agent: approval.agentId,
    role: 'group',
    'aria-labelledby': promptId,
    'aria-describedby': outcome ? outcomeId : undefined,
    'aria-busy': isPending,
    ...focus,
    children,
  };
  return { state: { ...result, comment, outcome }, own, by: props.by, promptId, outcomeId, type };
});

function outcomeOf({ status, approval, isPending, error }: ApprovalResult, words: Words): string {
  if (isPending && status === 'requested') return words.approvalSending();
  const parts = [error && words.approvalFailed(visible(error.message))];
  if (status === 'expired') parts.push(words.approvalExpired());
  if (status === 'resolved') parts.push(answerOf(approval, words));
  return parts.filter(Boolean).join(' ');
}

/** It can be answered. In a replay it could be. */
const isOpen = ({ status, options }: ApprovalResult): boolean => status === 'requested' && options[0] !== undefined;

/** What is asked. */
export const Prompt = partOf(Card, 'div', 'approval-prompt', ({ state, promptId }) => ({
  id: promptId,
  dir: 'auto',
  style: PRE_WRAP,
  children: (
    <>
      <Glyph status={state.status} /> {visible(state.approval?.prompt ?? '', true)}
    </>
  ),
}));

/** The time that is left to answer; nothing where there is no deadline. */
export const Deadline = partOf(Card, 'span', 'approval-deadline', ({ state }, words) => {
  const ms = useTicking(isOpen(state) && state.approval?.expiresAt !== undefined, state.msLeft);
  // A timer is not read out as it ticks (WAI-ARIA 1.2, 5.4).
  return ms === undefined ? ms : { role: 'timer', children: words.approvalLeft(Math.floor(ms / 1_000) * 1_000) };
});

/** Where people say why. Enter is a new line in it, and answers nothing. */
export const Comment = partOf(Card, 'textarea', 'approval-comment', ({ state, type }, words) => {
  if (!isOpen(state)) return undefined;
  const name = words.approvalComment();
  return {
    rows: 1,
    value: state.comment,
    readOnly: state.isPending,
    'aria-label': name,
    placeholder: name,
    onChange: ({ target }) => type((target as unknown as HTMLTextAreaElement).value),
  };
});

/** Whoever presses so soon after it appeared, in milliseconds, meant what was there before. */
const SETTLE_MS = 500;

/** A button for each option. */
export const Options = partOf(Card, 'div', 'approval-options', ({ state, by }, words) => {
  const shownAt = useRef(Number.POSITIVE_INFINITY);
  useEffect(() => {
    shownAt.current = performance.now();
  }, []);
  if (!isOpen(state)) return undefined;
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
      {words.approvalOption(visible(option))}
    </button>
  );
  return { children: state.options.map(button) };
});

/** What was answered, by whom and when, why that does not count, or that it is under way. */
export const Outcome = partOf(Card, 'div', 'approval-outcome', ({ state, outcomeId }, words) => {
  const { outcome, approval, error, isPending } = state;
  // A server does not know the reader's time zone.
  const time = useIsHere() ? approval?.endedAt : undefined;
  if (!outcome) return undefined;
  const children = (
    <>
      {outcome}
      {time && (
        <>
          {' '}
          <time dateTime={time}>{words.time(time)}</time>
        </>
      )}
      {approval?.comment !== undefined && (
        <div data-slot="approval-said" dir="auto" style={PRE_WRAP}>
          {visible(approval.comment, true)}
        </div>
      )}
    </>
  );
  return { id: outcomeId, status: error && !isPending ? 'failed' : state.status, children };
});
