import type { ErrorInfo, KnownEvent, TelltaleEvent } from './event.ts';
import type { RunSnapshot, Span, SpanStatus } from './snapshot.ts';

/** The list with one entity changed, or added at its end. Searched from the end: what changes is nearly always recent. */
export function upsert<T>(list: readonly T[], is: (it: T) => boolean, change: (it: T | undefined) => T): readonly T[] {
  const index = list.findLastIndex(is);
  if (index < 0) return [...list, change(undefined)];
  const copy = list.slice();
  copy[index] = change(list[index]);
  return copy;
}

export function opened(e: KnownEvent): Pick<Span, 'startSeq' | 'startedAt' | 'agentId'> & { status: 'running' } {
  return { status: 'running', startSeq: e.seq, startedAt: e.time, ...(e.agent && { agentId: e.agent.id }) };
}

/** The end of a span, failed where the event brings an error. */
export function ended(e: KnownEvent, data: { durationMs?: number; error?: ErrorInfo }) {
  const status: SpanStatus = data.error ? 'failed' : 'completed';
  return {
    status,
    endSeq: e.seq,
    endedAt: e.time,
    ...(data.durationMs !== undefined && { durationMs: data.durationMs }),
    ...(data.error && { error: data.error }),
  };
}

export function tellError(s: RunSnapshot, e: KnownEvent, error: ErrorInfo): RunSnapshot {
  return { ...s, errors: [...s.errors, { ...error, seq: e.seq, ...(e.agent && { agentId: e.agent.id }) }] };
}

/** A terminal event closes everything still open. */
export function closeOpen(s: RunSnapshot, e: TelltaleEvent): RunSnapshot {
  const end = { status: 'interrupted', endSeq: e.seq, endedAt: e.time } as const;
  const close = <T extends { status: string }>(spans: readonly T[]): readonly T[] =>
    spans.some((span) => span.status === 'running')
      ? spans.map((span) => (span.status === 'running' ? { ...span, ...end } : span))
      : spans;
  return {
    ...s,
    steps: close(s.steps),
    agents: close(s.agents),
    reasoning: close(s.reasoning),
    messages: close(s.messages),
    tools: close(s.tools),
    llmCalls: close(s.llmCalls),
    approvals: s.approvals.map((it) => (it.status === 'requested' ? { ...it, status: 'expired' } : it)),
    commands: s.commands.map((it) => (it.status === 'requested' ? { ...it, status: 'void' } : it)),
  };
}
