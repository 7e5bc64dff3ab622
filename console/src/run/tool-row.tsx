import type { ReactElement } from 'react';
import type { ToolSpan } from 'telltale/protocol';
import { Glyph, ToolCard, visible } from 'telltale/react/parts';
import { JsonTree } from '../ui/json-tree.tsx';
import { argsLine } from './call.ts';
import { tookWords } from './took.ts';

export interface ToolRowProps {
  readonly runId: string;
  readonly tool: ToolSpan;
  readonly isOpen: boolean;
  readonly flip: () => void;
}

/** A call: what was called with what, how it stands, and, opened, all of it. */
export function ToolRow({ runId, tool, isOpen, flip }: ToolRowProps): ReactElement {
  return (
    <ToolCard.Root runId={runId} tool={tool} open={isOpen} onOpenChange={flip}>
      <ToolCard.Trigger
        render={(props, { durationMs }) => (
          <button {...props}>
            <Glyph status={tool.status} />
            <span className="call">
              <bdi className="call-name">{visible(tool.name || tool.id)}</bdi>
              <bdi className="call-args">{argsLine(tool)}</bdi>
            </span>
            <Said tool={tool} />
            <span className="call-took">
              {tool.status === 'completed' ? '' : `${WORDS[tool.status]} `}
              {durationMs !== undefined && tookWords(durationMs)}
              {tool.status === 'completed' && <span className="sr-only"> done</span>}
            </span>
          </button>
        )}
      />
      <ToolCard.Content>{isOpen && <Values tool={tool} />}</ToolCard.Content>
    </ToolCard.Root>
  );
}

const WORDS = {
  running: 'running',
  completed: 'done',
  failed: 'failed',
  interrupted: 'interrupted',
  denied: 'denied',
} as const;

/** What went wrong, or how far it is. */
function Said({ tool: { error, reason, progress, status } }: { readonly tool: ToolSpan }): ReactElement | null {
  const wrong = error?.message ?? reason;
  if (wrong !== undefined) return <bdi className="call-error">{visible(wrong)}</bdi>;
  if (status !== 'running' || !progress) return null;
  const { message, progress: share } = progress;
  return (
    <span className="call-progress">
      {share !== undefined && <progress value={share} aria-label="Progress" />}
      {message !== undefined && <bdi>{visible(message)}</bdi>}
    </span>
  );
}

/** Arguments and result, to look into. */
export function Values({ tool }: { readonly tool: ToolSpan }): ReactElement {
  const { args, argsText, result, progress } = tool;
  const given = args ?? (argsText || undefined);
  const partial = result ?? progress?.partial;
  return (
    <>
      {given !== undefined && <JsonTree name="args" value={given} />}
      {partial !== undefined && <JsonTree name={result === undefined ? 'so far' : 'result'} value={partial} />}
    </>
  );
}
