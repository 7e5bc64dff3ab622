import type { Cost, ErrorInfo, EventData, Usage } from './event.ts';
import type { RunStatus } from './lifecycle.ts';

/** Still going, or how it ended. `interrupted`: the run ended first. */
export type SpanStatus = 'running' | 'completed' | 'failed' | 'interrupted';

/** Something with a beginning and an end. Numbers are `seq`; times are the log's (RFC 3339), durations milliseconds. */
export interface Span {
  readonly status: SpanStatus;
  readonly startSeq: number;
  readonly endSeq?: number;
  readonly startedAt: string;
  readonly endedAt?: string;
  /** As the producer measured it. */
  readonly durationMs?: number;
  readonly error?: ErrorInfo;
  /** The invocation of the agent it belongs to; absent for the run's own. */
  readonly agentId?: string;
}

/** One invocation of an agent; `id`, `name` and `path` as in the events' `agent`. */
export interface AgentSpan extends Span {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** The invocation that invoked it. */
  readonly parentId?: string;
  /** The run that does its work, where that is one of its own (`run.child`). */
  readonly childRunId?: string;
  readonly model?: string;
  readonly input?: unknown;
  readonly output?: unknown;
}

/** A step, planned or not. A step that is begun anew forgets how it ended before. */
export interface StepSpan extends Omit<Span, 'status' | 'startSeq' | 'startedAt'> {
  readonly id: string;
  readonly name: string;
  /** `pending`: planned, not begun. */
  readonly status: SpanStatus | 'pending';
  readonly startSeq?: number;
  readonly startedAt?: string;
  readonly result?: unknown;
}

/** A text as far as it has come: thinking, or a message. */
export interface TextSpan extends Span {
  readonly id: string;
  readonly text: string;
}

/** A message of the answer, or of whoever `role` names. */
export interface MessageSpan extends TextSpan {
  readonly role: string;
}

/** A tool call. Its id is unique only together with `agentId`. */
export interface ToolSpan extends Omit<Span, 'status'> {
  readonly id: string;
  readonly name: string;
  readonly status: SpanStatus | 'denied';
  /** As streamed; whole once `args` is there. */
  readonly argsText: string;
  readonly args?: unknown;
  readonly result?: unknown;
  readonly progress?: EventData<'tool.progress'>;
  readonly reason?: string;
}

/** A call of a language model. `model` is empty as long as nobody named it. */
export interface LlmSpan extends Span {
  readonly id: string;
  readonly model: string;
  readonly provider?: string;
  readonly usage?: Usage;
  readonly cost?: Cost;
}

/** What people are, or were, asked. The first answer wins; `seq` is the number of the question. */
export interface Approval {
  readonly id: string;
  readonly status: 'requested' | 'resolved' | 'expired';
  readonly prompt: string;
  readonly seq: number;
  /** When it was asked, by the log. */
  readonly askedAt: string;
  readonly toolCallId?: string;
  readonly options?: readonly string[];
  readonly expiresAt?: string;
  readonly decision?: string;
  readonly by?: string;
  readonly comment?: string;
  /** Of the answer, or of its expiry. */
  readonly endSeq?: number;
  /** When that was, by the log. */
  readonly endedAt?: string;
  /** The invocation of the agent that asks; absent for the run's own. */
  readonly agentId?: string;
}

/**
 * A command as asked for at `seq`. `overdue`: nothing has followed it in time, though something may yet. `void`: the run
 * ended before it could be followed.
 */
export interface Command {
  readonly id: string;
  readonly command: 'cancel' | 'pause' | 'resume';
  readonly status: 'requested' | 'overdue' | 'applied' | 'refused' | 'void';
  readonly seq: number;
  /** When it was asked for, by the log. */
  readonly askedAt: string;
  /** Of what applied or refused it, or of the run's end. */
  readonly endSeq?: number;
  /** When that was, by the log. */
  readonly endedAt?: string;
  readonly by?: string;
  readonly reason?: string;
  /** Why it was refused. */
  readonly error?: ErrorInfo;
}

/** The latest `budget.set`, with what was told of it since. */
export interface Budget extends EventData<'budget.set'> {
  readonly warnings: readonly EventData<'budget.warning'>[];
  readonly exceeded?: EventData<'budget.exceeded'>;
}

/** All that a log says about one run, up to and with `seq`. */
export interface RunSnapshot {
  readonly runId: string;
  readonly threadId: string;
  /** Number and epoch of the last event folded in; together the cursor from which to go on. */
  readonly seq: number;
  readonly epoch: string;
  /** Events folded in. */
  readonly events: number;
  readonly status: RunStatus;
  readonly agent?: string;
  readonly mode?: 'local' | 'remote';
  readonly parentRunId?: string;
  readonly input?: unknown;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly output?: unknown;
  readonly error?: ErrorInfo;
  readonly queuedAt?: string;
  /** How many runs are before it, while it is queued and that is known. */
  readonly position?: number;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  /** What the run is at now, in the words of its last `status.updated`. */
  readonly statusText?: string;
  readonly progress?: EventData<'progress.updated'>;
  readonly plan?: { readonly goal?: string; readonly stepIds: readonly string[] };
  readonly steps: readonly StepSpan[];
  readonly agents: readonly AgentSpan[];
  readonly reasoning: readonly TextSpan[];
  readonly messages: readonly MessageSpan[];
  readonly tools: readonly ToolSpan[];
  readonly llmCalls: readonly LlmSpan[];
  readonly activities: readonly (EventData<'activity.reported'> & {
    readonly seq: number;
    readonly agentId?: string;
  })[];
  readonly approvals: readonly Approval[];
  /** What people said to it, with where it stands, and when that was, by the log. */
  readonly inputs: readonly (EventData<'input.received'> & { readonly seq: number; readonly receivedAt: string })[];
  readonly commands: readonly Command[];
  readonly usage?: Usage;
  readonly cost?: Cost;
  readonly budget?: Budget;
  /** Every error told, terminal or not, with where it stands. */
  readonly errors: readonly (ErrorInfo & { readonly seq: number; readonly agentId?: string })[];
  readonly state?: unknown;
  readonly artifacts: readonly EventData<'artifact.added'>[];
  readonly sources: readonly EventData<'source.added'>[];
}

/** The fold of nothing. */
export function emptySnapshot(runId: string, threadId: string = runId): RunSnapshot {
  return {
    runId,
    threadId,
    seq: 0,
    epoch: '',
    events: 0,
    status: 'queued',
    steps: [],
    agents: [],
    reasoning: [],
    messages: [],
    tools: [],
    llmCalls: [],
    activities: [],
    approvals: [],
    inputs: [],
    commands: [],
    errors: [],
    artifacts: [],
    sources: [],
  };
}
