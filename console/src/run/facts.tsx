import type { ReactElement } from 'react';
import { type RunResult, useRun } from 'telltale/react';
import { visible } from 'telltale/react/parts';
import { Budget } from '../hands/budget.tsx';
import { absolute, count, money } from '../ui/format.ts';

/** What the run used, and when it was. */
export function Facts({ runId }: { readonly runId: string }): ReactElement | null {
  const { startedAt, tokens, cost, currency, source } = useRun(runId, { select: used });
  if (startedAt === undefined) return null;
  return (
    <section className="facts" aria-label="Budget and use">
      <Budget runId={runId} />
      <dl>
        {cost !== undefined && (
          <div title={`Source: ${visible(source ?? '')}`}>
            <dt>Cost</dt>
            <dd>{money(cost, currency)}</dd>
          </div>
        )}
        {tokens !== undefined && (
          <div>
            <dt>Tokens</dt>
            <dd>{count(tokens)}</dd>
          </div>
        )}
        <div>
          <dt>Began</dt>
          <dd>
            <time dateTime={startedAt}>{absolute(startedAt)}</time>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function used({ data }: RunResult) {
  const { inputTokens, outputTokens, totalTokens } = data?.usage ?? {};
  const known = totalTokens ?? (inputTokens === undefined ? outputTokens : inputTokens + (outputTokens ?? 0));
  return {
    startedAt: data?.startedAt ?? data?.queuedAt,
    tokens: known,
    cost: data?.cost?.amount,
    currency: data?.cost?.currency,
    source: data?.cost?.source,
  };
}
