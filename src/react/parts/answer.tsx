'use client';

import { createContext, useCallback } from 'react';
import type { MessageSpan } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { type OfRun, type PartProps, PRE_WRAP, partOf, rootOf, type Shown } from './element.ts';
import { visible } from './visible.ts';

export interface AnswerState {
  /** All of it, as far as it has come. */
  readonly text: string;
  readonly status: MessageSpan['status'];
  readonly messages: readonly MessageSpan[];
}

const Answered = createContext<Shown<AnswerState> | undefined>(undefined);

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
export const Root = rootOf(Answered, 'section', 'answer', (props: RootProps, words) => {
  const { agentId } = props;
  const select = useCallback((run: RunResult) => answersOf(run, agentId), [agentId]);
  const messages = useRun(props.runId, { ...props, select });
  const last = messages.at(-1);
  if (!last) return undefined;
  const isRunning = messages.some((it) => it.status === 'running');
  const text = messages.map((it) => it.text).join('\n\n');
  const status = isRunning ? 'running' : last.status;
  const own = { status, agent: agentId, 'aria-label': words.answer(), 'aria-busy': isRunning, children: <Text /> };
  return { state: { text, status, messages }, own };
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
export const Text = partOf(Answered, 'div', 'answer-text', ({ state }) => ({
  dir: 'auto',
  style: PRE_WRAP,
  children: visible(state.text, true),
}));
