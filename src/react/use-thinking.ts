import { useCallback, useMemo } from 'react';
import type { TextSpan } from '../protocol/index.ts';
import { durationOf } from './duration.ts';
import { type RunHookOptions, type RunResult, useRun } from './use-run.ts';

/** What was thought, and for how long by the log's own times: a reload shows the same. */
export interface Thinking {
  /** In the order in which they began; one that did not change stays the same object. */
  readonly spans: readonly TextSpan[];
  readonly isThinking: boolean;
  /** Milliseconds of the thinking that has ended. */
  readonly durationMs: number;
  /** Since when it is being thought (RFC 3339); absent when it is not. */
  readonly startedAt?: string;
}

const NONE: readonly TextSpan[] = [];

/**
 * The thinking of a run, or of one invocation of an agent. Renders when that changes.
 *
 * @example
 * const { spans, isThinking, durationMs } = useThinking(runId, agent.id);
 */
export function useThinking(runId: string | undefined, agentId?: string, options: RunHookOptions = {}): Thinking {
  const select = useCallback(
    ({ data }: RunResult): readonly TextSpan[] => {
      const spans = data?.reasoning ?? NONE;
      return agentId === undefined ? spans : spans.filter((span) => span.agentId === agentId);
    },
    [agentId],
  );
  const spans = useRun(runId, { ...options, select });
  return useMemo(() => thinkingOf(spans), [spans]);
}

function thinkingOf(spans: readonly TextSpan[]): Thinking {
  let durationMs = 0;
  let startedAt: string | undefined;
  for (const span of spans) {
    if (span.status === 'running') startedAt ??= span.startedAt;
    else durationMs += durationOf(span) ?? 0;
  }
  return { spans, isThinking: startedAt !== undefined, durationMs, ...(startedAt !== undefined && { startedAt }) };
}
