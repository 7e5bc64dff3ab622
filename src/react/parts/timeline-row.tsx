import { type ReactElement, type ReactNode, useId } from 'react';
import { durationOf } from '../duration.ts';
import type { TimelineRow } from '../timeline.ts';
import { Root as ApprovalCard } from './approval-card.tsx';
import type { OfRun } from './element.ts';
import { Glyph } from './glyph.tsx';
import type { Standing } from './labels.ts';
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
  const { labels, locale } = useWords();
  const flip = (): void => toggle(row);
  const facts = (span: { readonly status: Standing; readonly durationMs?: number }): string => {
    const ms = durationOf(span);
    return [labels.standing(span.status, locale), ms === undefined ? '' : labels.duration(ms, locale)]
      .filter(Boolean)
      .join(' · ');
  };
  switch (row.kind) {
    case 'tool':
      return <ToolCard {...source} tool={row.item} open={row.isOpen} onOpenChange={flip} />;
    case 'agent':
      return (
        <Folding isOpen={row.isOpen} flip={flip} status={row.item.status} name={visible(row.item.name)}>
          {facts(row.item)}
        </Folding>
      );
    case 'thinking': {
      const { status, text } = row.item;
      const how = status === 'failed' ? 'interrupted' : status;
      const name = labels.thinking(how, durationOf(row.item), 0, locale);
      return <Folding isOpen={row.isOpen} flip={flip} status={status} name={name} content={<Block>{text}</Block>} />;
    }
    case 'message':
      return (
        <>
          <span data-slot="row-name">{visible(row.item.role)}</span> <Block>{row.item.text}</Block>
        </>
      );
    case 'step':
      return (
        <Line status={row.item.status} name={visible(row.item.name)}>
          {facts(row.item as { status: Standing })}
          {row.item.error && ` · ${visible(row.item.error.message)}`}
        </Line>
      );
    case 'activity':
      return (
        <>
          <Line status={row.item.status} name={visible(row.item.action)}>
            {visible(row.item.status)}
          </Line>
          {row.item.details !== undefined && <Block>{textOf(row.item.details)}</Block>}
        </>
      );
    case 'approval':
      return <ApprovalCard {...source} approvalId={row.item.id} />;
    case 'command': {
      const { command, status, by, reason, error } = row.item;
      const said = (text: string | undefined) => (text === undefined ? undefined : visible(text));
      return (
        <Line status={status} name={labels.commandLine(command, status, said(by), said(error?.message), locale)}>
          {said(reason)}
        </Line>
      );
    }
    case 'error':
      return (
        <Line status="failed" name={labels.standing('failed', locale)}>
          {visible(row.item.message)}
        </Line>
      );
  }
}

interface LineProps {
  readonly status: string;
  readonly name: string;
  readonly children?: ReactNode;
}

function Line({ status, name, children }: LineProps): ReactElement {
  return (
    <>
      <Glyph status={status} /> <bdi data-slot="row-name">{name}</bdi> <span data-slot="row-facts">{children}</span>
    </>
  );
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
        <Line {...line} />
      </button>
      {content && (
        <div id={id} data-slot="row-content" hidden={!isOpen}>
          {isOpen && content}
        </div>
      )}
    </>
  );
}

function Block({ children }: { readonly children: string }): ReactElement {
  return (
    <div data-slot="row-text" dir="auto" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {children}
    </div>
  );
}
