'use client';

import { createContext, forwardRef, useCallback } from 'react';
import type { TextSpan } from '../../protocol/index.ts';
import { type RunResult, useRun } from '../use-run.ts';
import { useThinking } from '../use-thinking.ts';
import { useElapsed } from './clock.ts';
import { element, type OfRun, type PartProps, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { type Opening, type OpenProps, useOpening } from './opening.ts';
import { useWords } from './words.ts';

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

const Thought = createContext<{ readonly state: ThinkingState; readonly opening: Opening } | undefined>(undefined);

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
export const Root = forwardRef<HTMLDivElement, RootProps>(function Thinking(props, ref) {
  const { runId, from, initialSnapshot, agentId, open, defaultOpen, onOpenChange, autoOpen, ...given } = props;
  const source = { runId, from, initialSnapshot };
  const { labels, locale } = useWords();
  const { spans, durationMs, startedAt } = useThinking(runId, agentId, source);
  const select = useCallback((run: RunResult) => surroundings(run, agentId), [agentId]);
  const { isAnswering, tools } = useRun(runId, { ...source, select });
  const last = spans.at(-1);
  const isRunning = startedAt !== undefined || !isAnswering;
  const status = isRunning ? 'running' : last?.status === 'interrupted' ? 'interrupted' : 'completed';
  const elapsed = useElapsed(source, startedAt);
  const opening = useOpening({ open, defaultOpen, onOpenChange, autoOpen }, isRunning, 'streaming');
  if (!last) return null;
  const ms = startedAt === undefined ? durationMs : elapsed === undefined ? undefined : durationMs + elapsed;
  const { isOpen } = opening;
  const text = labels.thinking(status, ms, tools, locale);
  const state: ThinkingState = { status, isOpen, durationMs: ms, tools, spans, text };
  const children = (
    <>
      <Trigger />
      <Content />
    </>
  );
  const own = { slot: 'thinking', isOpen, status, agent: agentId, children };
  return (
    <Thought.Provider value={{ state, opening }}>{element('div', own, given, state, ref as never)}</Thought.Provider>
  );
});

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
export const Indicator = forwardRef<HTMLSpanElement, PartProps<'span', ThinkingState>>(function Indicator(given, ref) {
  const { state } = useRoot(Thought);
  if (state.status !== 'running') return null;
  const own = { slot: 'thinking-indicator', status: state.status, 'aria-hidden': true, children: '●' } as const;
  return element('span', own, given, state, ref as never);
});

/** The chip: "Thinking finished · 12 s · 4 tools". */
export const Trigger = forwardRef<HTMLButtonElement, PartProps<'button', ThinkingState>>(function Chip(given, ref) {
  const { state, opening } = useRoot(Thought);
  const children = (
    <>
      {state.status === 'running' ? <Indicator /> : <Glyph status={state.status} />} {state.text}
    </>
  );
  const own = { slot: 'thinking-trigger', status: state.status, children, ...opening.trigger };
  return element('button', own, given, state, ref as never);
});

/** What was thought, as text. */
export const Content = forwardRef<HTMLDivElement, PartProps<'div', ThinkingState>>(function Thoughts(given, ref) {
  const { state, opening } = useRoot(Thought);
  const children = state.spans.map((span) => (
    <div
      key={`${span.agentId} ${span.id}`}
      data-slot="thinking-text"
      data-status={span.status}
      data-agent={span.agentId}
      dir="auto"
      style={{ whiteSpace: 'pre-wrap' }}
    >
      {span.text}
    </div>
  ));
  const own = {
    slot: 'thinking-content',
    status: state.status,
    ...opening.content,
    children: opening.isOpen && children,
  };
  return element('div', own, given, state, ref as never);
});
