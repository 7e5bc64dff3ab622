'use client';

import { createContext } from 'react';
import type { ToolSpan } from '../../protocol/index.ts';
import { durationOf } from '../duration.ts';
import { useElapsed } from './clock.ts';
import { ANYWHERE, type OfRun, type PartProps, partOf, rootOf, type Shown } from './element.ts';
import { factsOf } from './facts.ts';
import { Line } from './glyph.tsx';
import { type Opening, type OpenProps, useOpening } from './opening.ts';
import { textOf, visible } from './visible.ts';

export interface ToolCardState {
  readonly tool: ToolSpan;
  readonly isOpen: boolean;
  /** Milliseconds, so far or in all, by the log's times; absent where they cannot be known. */
  readonly durationMs: number | undefined;
}

interface CardShown extends Shown<ToolCardState> {
  readonly opening: Opening;
}

const Card = createContext<CardShown | undefined>(undefined);

export type RootProps = PartProps<'div', ToolCardState> & OfRun & OpenProps & { readonly tool: ToolSpan };

/**
 * One call of a tool of a run. Closed until the reader opens it (`autoOpen="streaming"`: open while it runs); its line
 * tells what went wrong, closed or not.
 *
 * @example
 * data.tools.map((tool) => <ToolCard.Root key={`${tool.agentId} ${tool.id}`} runId={runId} tool={tool} />);
 */
export const Root = rootOf(Card, 'div', 'tool-card', (props: RootProps) => {
  const { tool } = props;
  const isRunning = tool.status === 'running';
  const elapsed = useElapsed(props, isRunning ? tool.startedAt : undefined);
  const opening = useOpening(props, isRunning, 'never');
  const { isOpen } = opening;
  const children = (
    <>
      <Trigger />
      <Content />
    </>
  );
  return {
    state: { tool, isOpen, durationMs: isRunning ? elapsed : durationOf(tool) },
    own: { isOpen, status: tool.status, agent: tool.agentId, children },
    opening,
  };
});

/** The line: which tool, how it stands, how long it took, what went wrong. */
export const Trigger = partOf(Card, 'button', 'tool-card-trigger', ({ state, opening }, words) => {
  const { tool, durationMs } = state;
  const said = tool.error?.message ?? tool.reason ?? tool.progress?.message;
  const children = (
    <Line of="tool" status={tool.status} name={visible(tool.name || tool.id)}>
      {factsOf(tool, words, said, durationMs)}
    </Line>
  );
  return { status: tool.status, children, ...opening.trigger };
});

/** Arguments and result, as text. Made only while it is open: a result may be large. */
export const Content = partOf(Card, 'div', 'tool-card-content', ({ state: { tool }, opening }, words) => {
  const value = (slot: string, name: string, content: unknown) =>
    content !== undefined && (
      <div data-slot={slot}>
        <span data-slot="value-name">{name}</span>
        <div data-slot="value" style={ANYWHERE}>
          {textOf(content)}
        </div>
      </div>
    );
  const children = opening.isOpen && (
    <>
      {value('tool-args', words.toolArgs(), tool.args ?? (tool.argsText || undefined))}
      {value('tool-result', words.toolResult(), tool.result ?? tool.progress?.partial)}
    </>
  );
  return { status: tool.status, ...opening.content, children };
});
