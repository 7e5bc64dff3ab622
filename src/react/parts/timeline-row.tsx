import { type ReactElement, type ReactNode, useCallback, useId } from 'react';
import type { AgentSpan } from '../../protocol/index.ts';
import type { AgentEntry } from '../agent-counts.ts';
import { durationOf } from '../duration.ts';
import type { TimelineRow } from '../timeline.ts';
import { useAgents } from '../use-agents.ts';
import { Root as ApprovalCard } from './approval-card.tsx';
import { ANYWHERE, type OfRun } from './element.ts';
import { factsOf } from './facts.ts';
import { Line, type LineProps } from './glyph.tsx';
import { commandLine } from './standing.ts';
import { Root as ToolCard } from './tool-card.tsx';
import { textOf, visible } from './visible.ts';
import { useWords } from './words.ts';

export interface RowProps {
  readonly source: OfRun;
  readonly row: TimelineRow;
  readonly toggle: (row: TimelineRow) => void;
}

/** What a row of the timeline shows where the page does not show it itself. */
export function Row({ source, row, toggle }: RowProps): ReactElement {
  const words = useWords();
  const { isOpen } = row;
  const flip = (): void => toggle(row);
  switch (row.kind) {
    case 'tool':
      return <ToolCard {...source} tool={row.item} open={isOpen} onOpenChange={flip} />;
    case 'group': {
      const { name, count, durationMs } = row.item;
      return (
        <Folding isOpen={isOpen} flip={flip} status={row.item.status} name={words.calls(visible(name), count)}>
          {durationMs !== undefined && words.duration(durationMs)}
        </Folding>
      );
    }
    case 'agent':
      return <Agent source={source} agent={row.item} isOpen={isOpen} flip={flip} />;
    case 'thinking': {
      const { status, text } = row.item;
      const name = words.thinking(status === 'failed' ? 'interrupted' : status, durationOf(row.item), 0);
      return <Folding isOpen={isOpen} flip={flip} status={status} name={name} content={block(text)} />;
    }
    case 'message':
      return (
        <>
          <span data-slot="row-name">{visible(row.item.role)}</span> {block(row.item.text)}
        </>
      );
    case 'step':
      return (
        <Line of="row" status={row.item.status} name={visible(row.item.name)}>
          {factsOf(row.item, words, row.item.error?.message)}
        </Line>
      );
    case 'activity': {
      const { status, action, details } = row.item;
      return (
        <>
          <Line of="row" status={status} name={visible(action)}>
            {visible(status)}
          </Line>
          {details !== undefined && block(textOf(details))}
        </>
      );
    }
    case 'approval':
      return <ApprovalCard {...source} approvalId={row.item.id} />;
    case 'command': {
      const { status, reason } = row.item;
      return (
        <Line of="row" status={status} name={commandLine(row.item, words)}>
          {reason && visible(reason)}
        </Line>
      );
    }
    case 'error':
      return (
        <Line of="row" status="failed" name={words.standing('failed')}>
          {visible(row.item.message)}
        </Line>
      );
  }
}

/** How an agent stands, and what it and those that it invoked have done so far. */
function Agent({ source, agent, ...opening }: AgentProps): ReactElement {
  const words = useWords();
  const { id, status, name } = agent;
  const select = useCallback((all: readonly AgentEntry[]) => all.find((it) => it.agent.id === id), [id]);
  const entry = useAgents(source.runId, { ...source, select });
  const facts = factsOf(agent, words, entry && words.agentCounts(entry.own, entry.total));
  return (
    <Folding {...opening} status={status} name={visible(name)}>
      {facts}
    </Folding>
  );
}

interface AgentProps extends Pick<FoldingProps, 'isOpen' | 'flip'> {
  readonly source: OfRun;
  readonly agent: AgentSpan;
}

interface FoldingProps extends LineProps {
  readonly isOpen: boolean;
  readonly flip: () => void;
  /** What it opens, where that is not the rows that follow. */
  readonly content?: ReactNode;
}

function Folding({ isOpen, flip, content, ...line }: FoldingProps): ReactElement {
  const id = useId();
  return (
    <>
      <button
        type="button"
        data-slot="row-trigger"
        data-state={isOpen ? 'open' : 'closed'}
        aria-expanded={isOpen}
        aria-controls={content ? id : undefined}
        onClick={flip}
      >
        <Line of="row" {...line} />
      </button>
      {content && (
        <div id={id} data-slot="row-content" hidden={!isOpen}>
          {isOpen && content}
        </div>
      )}
    </>
  );
}

const block = (text: string): ReactElement => (
  <div data-slot="row-text" dir="auto" style={ANYWHERE}>
    {visible(text, true)}
  </div>
);
