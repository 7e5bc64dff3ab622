import type { ReactElement } from 'react';
import type { RunSnapshot } from 'telltale/protocol';
import { type LimitUse, type RunResult, useBudget, useRun } from 'telltale/react';
import { BudgetMeter } from 'telltale/react/parts';
import { duration } from '../ui/format.ts';
import { msLeft } from './pace.ts';

/** What a run may use, and has used; where nothing limits it, that. */
export function Budget({ runId }: { readonly runId: string }): ReactElement | null {
  const { limits } = useBudget(runId);
  const estimate = useRun(runId, { select: (run) => estimateOf(run, limits) });
  const isUnlimited = useRun(runId, { select: unlimited });
  return (
    <>
      <BudgetMeter.Root runId={runId} />
      {estimate !== undefined && (
        <p className="muted" title="As fast as it was so far, by the times in the log">
          {estimate}
        </p>
      )}
      {isUnlimited && <p className="muted">No budget: nothing limits what this run uses.</p>}
    </>
  );
}

/** A budget stands directly behind the beginning of its run. */
const unlimited = ({ data, isEnded }: RunResult): boolean =>
  data?.startedAt !== undefined && data.budget === undefined && !isEnded;

const NAMES: Readonly<Record<LimitUse['limit'], string>> = { cost: 'Cost', tokens: 'Tokens', toolCalls: 'Tool calls' };
/** Coarser than it is known. */
const MINUTE_MS = 60_000;

/** Which maximum is used up first at this pace, and in about what time. */
function estimateOf({ data, status }: RunResult, limits: readonly LimitUse[]): string | undefined {
  if (!data || status !== 'running') return undefined;
  const all = limits.flatMap((use) => {
    const ms = msLeft(use, data as RunSnapshot);
    return ms === undefined ? [] : [{ ms, limit: use.limit }];
  });
  const first = all.sort((a, b) => a.ms - b.ms)[0];
  if (!first) return undefined;
  const about =
    first.ms < MINUTE_MS ? 'less than a minute' : `about ${duration(Math.round(first.ms / MINUTE_MS) * MINUTE_MS)}`;
  return `Estimate: ${NAMES[first.limit].toLowerCase()} used up in ${about} at this pace.`;
}
