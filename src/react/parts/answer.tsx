'use client';

import { createContext, forwardRef, useCallback } from 'react';
import type { MessageSpan } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { element, type OfRun, type PartProps, useRoot } from './element.ts';
import { useWords } from './words.ts';

export interface AnswerState {
  /** All of it, as far as it has come. */
  readonly text: string;
  readonly status: MessageSpan['status'];
  readonly messages: readonly MessageSpan[];
}

const Answered = createContext<AnswerState | undefined>(undefined);

export type RootProps = PartProps<'section', AnswerState> &
  OfRun & {
    /** Of one invocation of an agent; without it, of the run itself and the agents it invoked. */
    readonly agentId?: string | undefined;
  };

/**
 * What a run answers, while it does. It is text: for Markdown give `Answer.Text` a `render`, with a renderer that neither
 * trusts HTML nor loads images. Not a live region: nobody wants to hear tokens.
 *
 * @example
 * <Answer.Root runId={runId} />
 */
export const Root = forwardRef<HTMLElement, RootProps>(function Answer(props, ref) {
  const { runId, from, initialSnapshot, agentId, ...given } = props;
  const source = { from, initialSnapshot };
  const { labels, locale } = useWords();
  const select = useCallback((run: RunResult) => answersOf(run, agentId), [agentId]);
  const messages = useRun(runId, { ...source, select });
  const last = messages.at(-1);
  if (!last) return null;
  const isRunning = messages.some((it) => it.status === 'running');
  const text = messages.map((it) => it.text).join('\n\n');
  const state: AnswerState = { text, status: isRunning ? 'running' : last.status, messages };
  const own = {
    slot: 'answer',
    status: state.status,
    agent: agentId,
    'aria-label': labels.answer(locale),
    'aria-busy': isRunning,
    children: <Text />,
  };
  return <Answered.Provider value={state}>{element('section', own, given, state, ref as never)}</Answered.Provider>;
});

/** What specialists say to the agent that asked them is not the answer. */
function answersOf({ data }: RunResult, agentId: string | undefined): readonly MessageSpan[] {
  if (!data) return [];
  const inner = new Set(data.agents.filter((it) => it.parentId !== undefined).map((it) => it.id));
  return data.messages.filter(
    (it) => it.role === 'assistant' && (agentId === undefined ? !inner.has(it.agentId ?? '') : it.agentId === agentId),
  );
}

/** The text, with its line breaks. */
export const Text = forwardRef<HTMLDivElement, PartProps<'div', AnswerState>>(function Text(given, ref) {
  const state = useRoot(Answered);
  const own = { slot: 'answer-text', dir: 'auto', style: { whiteSpace: 'pre-wrap' }, children: state.text } as const;
  return element('div', own, given, state, ref as never);
});
