import { useMemo } from 'react';
import type { TextSpan } from '../protocol/index.ts';
import { durationOf } from './duration.ts';
import { useRunStore } from './run-source.ts';
import { type RunHookOptions, type RunResult, useRunView } from './use-run.ts';
import { isShallowEqual, type Selecting, type ViewOptions } from './use-view.ts';

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
export function useThinking(runId: string | undefined, agentId?: string, options?: RunHookOptions): Thinking;
export function useThinking<Slice>(
  runId: string | undefined,
  agentId: string | undefined,
  options: RunHookOptions & Selecting<Thinking, Slice>,
): Slice;
export function useThinking<Slice>(
  runId: string | undefined,
  agentId?: string,
  options: RunHookOptions & ViewOptions<Thinking, Slice> = {},
): Slice {
  const derive = useMemo(() => thinkingOf(agentId), [agentId]);
  return useRunView(useRunStore(runId, options), derive, options);
}

/** Makes the same object of the same spans. */
function thinkingOf(agentId: string | undefined): (run: RunResult) => Thinking {
  let last = summed(NONE);
  return ({ data }) => {
    const all = data?.reasoning ?? NONE;
    const spans = agentId === undefined ? all : all.filter((span) => span.agentId === agentId);
    if (!isShallowEqual(spans, last.spans)) last = summed(spans);
    return last;
  };
}

function summed(spans: readonly TextSpan[]): Thinking {
  let durationMs = 0;
  let startedAt: string | undefined;
  for (const span of spans) {
    if (span.status === 'running') startedAt ??= span.startedAt;
    else durationMs += durationOf(span) ?? 0;
  }
  return { spans, isThinking: startedAt !== undefined, durationMs, ...(startedAt !== undefined && { startedAt }) };
}
