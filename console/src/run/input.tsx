import type { ReactElement } from 'react';
import { useRun } from 'telltale/react';
import { Copy } from '../ui/copy.tsx';
import { JsonTree } from '../ui/json-tree.tsx';
import { PlainText } from '../ui/markdown.tsx';

/** What the run was started with. */
export function Input({ runId }: { readonly runId: string }): ReactElement | null {
  const { input } = useRun(runId, { select: ({ data }) => ({ input: data?.input }) });
  if (input === undefined) return null;
  const isText = typeof input === 'string';
  return (
    <details className="run-input">
      <summary>Input</summary>
      {isText ? <PlainText text={input} /> : <JsonTree name="input" value={input} />}
      {isText && <Copy text={input} />}
    </details>
  );
}
