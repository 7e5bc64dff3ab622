import type { ReactElement, ReactNode } from 'react';
import type { ErrorInfo } from 'telltale/protocol';
import { ApprovalCard, visible } from 'telltale/react/parts';
import { Copy } from '../ui/copy.tsx';
import { JsonTree } from '../ui/json-tree.tsx';
import { Markdown, PlainText } from '../ui/markdown.tsx';
import type { Subject } from './subject.ts';
import { Values } from './tool-row.tsx';

/** The content of what is looked at: what it was given, what it said, what came of it. */
export function SubjectBody({ runId, subject }: { readonly runId: string; readonly subject: Subject }): ReactElement {
  const { kind, item } = subject;
  const error = kind === 'error' ? item : kind !== 'activity' && 'error' in item ? item.error : undefined;
  return (
    <>
      {error && <Wrong error={error} />}
      <Content runId={runId} subject={subject} />
    </>
  );
}

function Content({ runId, subject: { kind, item } }: { readonly runId: string; readonly subject: Subject }): ReactNode {
  switch (kind) {
    case 'tool':
      return <Values tool={item} />;
    case 'agent':
      return (
        <>
          {item.model !== undefined && <p className="muted">Model: {visible(item.model)}</p>}
          <Value name="input" value={item.input} />
          <Value name="output" value={item.output} />
        </>
      );
    case 'step':
      return <Value name="result" value={item.result} />;
    case 'thinking':
      return <PlainText text={item.text} />;
    case 'message':
      return (
        <>
          <Markdown text={item.text} />
          <Copy text={item.text} />
        </>
      );
    case 'activity':
      return <Value name="details" value={item.details} />;
    case 'approval':
      return <ApprovalCard.Root runId={runId} approvalId={item.id} />;
    case 'command':
      return item.reason === undefined ? null : <PlainText text={item.reason} />;
    default:
      return null;
  }
}

const Value = ({ name, value }: { readonly name: string; readonly value: unknown }): ReactNode =>
  value !== undefined && <JsonTree name={name} value={value} />;

function Wrong({ error: { code, message, retryable, stack } }: { readonly error: ErrorInfo }): ReactElement {
  return (
    <section className="detail-error">
      <p>
        <bdi>{visible(message, true)}</bdi>
      </p>
      <p className="muted">
        <code>{visible(code)}</code>
        {retryable !== undefined && (retryable ? ' · trying again may help' : ' · trying again does not help')}
      </p>
      {stack !== undefined && (
        <details>
          <summary>Stack</summary>
          <pre>{visible(stack, true)}</pre>
        </details>
      )}
      <Copy text={() => JSON.stringify({ code, message, stack }, null, 2)}>Copy the error</Copy>
    </section>
  );
}
