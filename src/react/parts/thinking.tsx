'use client';

import { createContext, useCallback } from 'react';
import type { TextSpan } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { useThinking } from '../use-thinking.ts';
import { useElapsed } from './clock.ts';
import { type OfRun, type PartProps, PRE_WRAP, partOf, type RootShown, rootOf, type Shown } from './element.ts';
import { Glyph } from './glyph.tsx';
import { type Opening, type OpenProps, useOpening } from './opening.ts';
import { visible } from './visible.ts';

export interface ThinkingState {
  /** `running` until the answer begins or the run ends, through the tool calls between two thoughts. */
  readonly status: 'running' | 'completed' | 'interrupted';
  readonly isOpen: boolean;
  /** Milliseconds of thinking by the log's times; absent where they cannot be known. */
  readonly durationMs: number | undefined;
  readonly tools: number;
  readonly spans: readonly TextSpan[];
  /** The whole line of the chip. */
  readonly text: string;
}

interface ThoughtShown extends Shown<ThinkingState> {
  readonly opening: Opening;
}

const Thought = createContext<ThoughtShown | undefined>(undefined);

export type RootProps = PartProps<'div', ThinkingState> &
  OfRun &
  OpenProps & {
    /** Of one invocation of an agent alone. */
    readonly agentId?: string | undefined;
  };

/**
 * What a run thinks: open while it does, one line afterwards. Shows nothing where nothing was thought.
 *
 * @example
 * <Thinking.Root runId={runId} />
 */
export const Root = rootOf(
  Thought,
  'div',
  'thinking',
  (props: RootProps, words): RootShown<ThoughtShown> | undefined => {
    const { runId, agentId } = props;
    const { spans, durationMs, startedAt } = useThinking(runId, agentId, props);
    const select = useCallback((run: RunResult) => surroundings(run, agentId), [agentId]);
    const { isAnswering, tools } = useRun(runId, { ...props, select });
    const last = spans.at(-1);
    const isRunning = startedAt !== undefined || !isAnswering;
    const status = isRunning ? 'running' : last?.status === 'interrupted' ? 'interrupted' : 'completed';
    const elapsed = useElapsed(props, startedAt);
    const opening = useOpening(props, isRunning, 'streaming');
    if (!last) return undefined;
    const ms = startedAt === undefined ? durationMs : elapsed === undefined ? undefined : durationMs + elapsed;
    const { isOpen } = opening;
    const children = (
      <>
        <Trigger />
        <Content />
      </>
    );
    return {
      state: { status, isOpen, durationMs: ms, tools, spans, text: words.thinking(status, ms, tools) },
      own: { isOpen, status, agent: agentId, children },
      opening,
    };
  },
);

/** What ends thinking: the answer, the end of the agent, the end of the run. */
function surroundings({ data, isEnded }: RunResult, agentId: string | undefined) {
  const mine = (it: { readonly agentId?: string }): boolean => agentId === undefined || it.agentId === agentId;
  const began = data?.reasoning.findLast(mine)?.startSeq ?? 0;
  const agent = agentId === undefined ? undefined : data?.agents.find(({ id }) => id === agentId);
  const answered = data?.messages.some((it) => mine(it) && it.role === 'assistant' && it.startSeq > began) ?? false;
  return {
    isAnswering: isEnded || answered || (agent !== undefined && agent.status !== 'running'),
    tools: data?.tools.filter(mine).length ?? 0,
  };
}

/** The sign that it thinks; nothing once it has finished. Says nothing to a screen reader: the chip does. */
export const Indicator = partOf(Thought, 'span', 'thinking-indicator', ({ state: { status } }) =>
  status === 'running' ? { status, 'aria-hidden': true, children: '●' } : undefined,
);

/** The chip: "Thinking finished · 12 s · 4 tools". */
export const Trigger = partOf(Thought, 'button', 'thinking-trigger', ({ state: { status, text }, opening }) => ({
  status,
  children: (
    <>
      {status === 'running' ? <Indicator /> : <Glyph status={status} />} {text}
    </>
  ),
  ...opening.trigger,
}));

/** What was thought, as text. */
export const Content = partOf(Thought, 'div', 'thinking-content', ({ state, opening }) => {
  const children = state.spans.map((span) => (
    <div
      key={`${span.agentId} ${span.id}`}
      data-slot="thinking-text"
      data-status={span.status}
      data-agent={span.agentId}
      dir="auto"
      style={PRE_WRAP}
    >
      {visible(span.text, true)}
    </div>
  ));
  return { status: state.status, ...opening.content, children: opening.isOpen && children };
});
