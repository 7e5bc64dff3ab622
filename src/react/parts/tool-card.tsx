'use client';

import { createContext, forwardRef, type ReactElement } from 'react';
import type { ToolSpan } from '../../protocol/index.ts';
import { durationOf } from '../duration.ts';
import { useElapsed } from './clock.ts';
import { element, type OfRun, type PartProps, useRoot } from './element.ts';
import { Glyph } from './glyph.tsx';
import { type Opening, type OpenProps, useOpening } from './opening.ts';
import { textOf, visible } from './visible.ts';
import { useWords } from './words.ts';

export interface ToolCardState {
  readonly tool: ToolSpan;
  readonly isOpen: boolean;
  /** Milliseconds, so far or in all, by the log's times; absent where they cannot be known. */
  readonly durationMs: number | undefined;
}

const Card = createContext<{ readonly state: ToolCardState; readonly opening: Opening } | undefined>(undefined);

export type RootProps = PartProps<'div', ToolCardState> & OfRun & OpenProps & { readonly tool: ToolSpan };

/**
 * One call of a tool of a run. Closed until the reader opens it (`autoOpen="streaming"`: open while it runs); its line
 * tells what went wrong, closed or not.
 *
 * @example
 * data.tools.map((tool) => <ToolCard.Root key={`${tool.agentId} ${tool.id}`} runId={runId} tool={tool} />);
 */
export const Root = forwardRef<HTMLDivElement, RootProps>(function ToolCard(props, ref) {
  const { runId, from, initialSnapshot, tool, open, defaultOpen, onOpenChange, autoOpen, ...given } = props;
  const source = { runId, from, initialSnapshot };
  const isRunning = tool.status === 'running';
  const elapsed = useElapsed(source, isRunning ? tool.startedAt : undefined);
  const opening = useOpening({ open, defaultOpen, onOpenChange, autoOpen }, isRunning, 'never');
  const { isOpen } = opening;
  const state: ToolCardState = { tool, isOpen, durationMs: isRunning ? elapsed : durationOf(tool) };
  const children = (
    <>
      <Trigger />
      <Content />
    </>
  );
  const own = { slot: 'tool-card', isOpen, status: tool.status, agent: tool.agentId, children };
  return <Card.Provider value={{ state, opening }}>{element('div', own, given, state, ref as never)}</Card.Provider>;
});

/** The line: which tool, how it stands, how long it took, what went wrong. */
export const Trigger = forwardRef<HTMLButtonElement, PartProps<'button', ToolCardState>>(function Trigger(given, ref) {
  const { state, opening } = useRoot(Card);
  const { labels, locale } = useWords();
  const { tool, durationMs } = state;
  const facts = [
    labels.standing(tool.status, locale),
    durationMs === undefined ? undefined : labels.duration(durationMs, locale),
    visible(tool.error?.message ?? tool.reason ?? tool.progress?.message ?? ''),
  ];
  const children = (
    <>
      <Glyph status={tool.status} /> <bdi data-slot="tool-name">{visible(tool.name || tool.id)}</bdi>{' '}
      <span data-slot="tool-facts">{facts.filter(Boolean).join(' · ')}</span>
    </>
  );
  const own = { slot: 'tool-card-trigger', status: tool.status, children, ...opening.trigger };
  return element('button', own, given, state, ref as never);
});

/** Arguments and result, as text. Made only while it is open: a result may be large. */
export const Content = forwardRef<HTMLDivElement, PartProps<'div', ToolCardState>>(function Content(given, ref) {
  const { state, opening } = useRoot(Card);
  const { labels, locale } = useWords();
  const { tool } = state;
  const args = tool.args ?? (tool.argsText || undefined);
  const result = tool.result ?? tool.progress?.partial;
  const children = opening.isOpen && (
    <>
      <Value name={labels.toolArgs(locale)} slot="tool-args" value={args} />
      <Value name={labels.toolResult(locale)} slot="tool-result" value={result} />
    </>
  );
  const own = { slot: 'tool-card-content', status: tool.status, ...opening.content, children };
  return element('div', own, given, state, ref as never);
});

interface ValueProps {
  readonly name: string;
  readonly slot: string;
  readonly value: unknown;
}

function Value({ name, slot, value }: ValueProps): ReactElement | null {
  if (value === undefined) return null;
  return (
    <div data-slot={slot}>
      <span data-slot="value-name">{name}</span>
      <div data-slot="value" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {textOf(value)}
      </div>
    </div>
  );
}
