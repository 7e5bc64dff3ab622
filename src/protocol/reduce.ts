/**
 * The one fold: what a log says about a run. Server snapshots, clients, console and replay all use it, so that they
 * cannot disagree. Pure: no clock, no randomness; the old snapshot stays as it was and shares what did not change.
 */
import { checkWhole } from './cursor.ts';
import type { EventData, KnownEvent, TelltaleEvent } from './event.ts';
import { deltasOf } from './merged.ts';
import { applyPatch } from './patch.ts';
import { apply, reduceControl } from './reduce-control.ts';
import {
  asOneChange,
  at,
  by,
  byId,
  closeOpen,
  ended,
  mine,
  opened,
  pick,
  push,
  tellError,
  upsert,
} from './reduce-spans.ts';
import type { RunSnapshot, ToolSpan } from './snapshot.ts';
import { statusAfter } from './status-after.ts';
import { isTerminal } from './terminal.ts';

/**
 * Folds one event in, or one frame of merged deltas. Events of other runs and events already folded in change nothing,
 * so replay is harmless.
 *
 * @throws {TelltaleError} `stream_broken` for merged deltas of which only some are folded in.
 *
 * @example
 * const snapshot = events.reduce(reduce, emptySnapshot(runId));
 */
export function reduce(snapshot: RunSnapshot, event: TelltaleEvent): RunSnapshot {
  if (event.runId !== snapshot.runId || event.seq <= snapshot.seq) return snapshot;
  checkWhole(event, snapshot.seq);
  const next: RunSnapshot = {
    ...deltasOf(event).reduce(foldOne, snapshot),
    threadId: event.threadId,
    seq: event.seq,
    epoch: event.epoch,
    events: snapshot.events + (event.count ?? 1),
    status: statusAfter(event.type) ?? snapshot.status,
  };
  return isTerminal(event.type) ? closeOpen(next, event) : next;
}

/**
 * Folds many events in: what `events.reduce(reduce, snapshot)` gives, in time that grows with the events, not with their
 * square. For whole runs and pages; the snapshot given stays as it was.
 */
export function reduceAll(snapshot: RunSnapshot, events: Iterable<TelltaleEvent>): RunSnapshot {
  const step = asOneChange(reduce);
  let next = snapshot;
  for (const event of events) next = step(next, event);
  return next;
}

/** An entity that a merged delta opens was opened by the first of them. */
function foldOne(s: RunSnapshot, event: TelltaleEvent): RunSnapshot {
  const e = (event.first === undefined ? event : { ...event, seq: event.first }) as KnownEvent;
  const next = fold(s, e);
  return isFailure(e) ? tellError(next, e, e.data.error) : next;
}

type Failure = KnownEvent & { type: (typeof FAILURES)[number] };
const FAILURES = ['run.failed', 'step.failed', 'agent.failed', 'llm.failed', 'tool.failed', 'error.reported'] as const;
const isFailure = (e: KnownEvent): e is Failure => FAILURES.includes(e.type as Failure['type']);

function fold(s: RunSnapshot, e: KnownEvent): RunSnapshot {
  const { type, data } = e;
  switch (type) {
    case 'run.queued':
    case 'run.started': {
      const { position: _, ...rest } = s;
      return {
        ...rest,
        ...pick(data, ['agent', 'mode', 'input', 'metadata']),
        ...pick(e, ['parentRunId']),
        // Said again with another position it is no other beginning.
        ...(type === 'run.queued'
          ? { queuedAt: s.queuedAt ?? e.time, ...pick(data, ['position']) }
          : { startedAt: e.time }),
      };
    }
    case 'run.completed':
    case 'run.failed':
    case 'run.cancelled': {
      const { position: _, ...rest } = s;
      const end: RunSnapshot = { ...rest, endedAt: e.time, ...pick(data, ['durationMs']) };
      if (type === 'run.completed') return { ...end, ...pick(data, ['output', 'usage', 'cost']) };
      if (type === 'run.failed') return { ...end, ...pick(data, ['error', 'usage']) };
      return { ...end, commands: apply(s.commands, e as KnownEvent & { type: 'run.cancelled' }) };
    }
    case 'plan.created':
    case 'plan.updated':
      return reducePlan(s, data);
    case 'step.started':
      return {
        ...s,
        steps: upsert(
          s.steps,
          byId(data.stepId),
          // Begun anew: nothing of an earlier attempt's end stays.
          () => ({ id: data.stepId, name: data.name, ...opened(e) }),
        ),
      };
    case 'step.completed':
    case 'step.failed':
      return {
        ...s,
        steps: upsert(s.steps, byId(data.stepId), (it) => ({
          ...(it ?? { id: data.stepId, name: data.stepId, ...opened(e) }),
          ...ended(e, data),
          ...(type === 'step.completed' && pick(data, ['result'])),
        })),
      };
    case 'progress.updated':
      return { ...s, progress: data };
    case 'agent.started':
    case 'agent.completed':
    case 'agent.failed':
      return reduceAgent(s, e);
    case 'activity.reported':
      return { ...s, activities: push(s.activities, { ...data, ...at(e) }) };
    case 'status.updated':
      return { ...s, statusText: data.message ?? data.status };
    case 'reasoning.started':
    case 'reasoning.delta':
    case 'reasoning.completed':
      return {
        ...s,
        reasoning: upsert(s.reasoning, mine(data.reasoningId, e), (it) =>
          text(it ?? { id: data.reasoningId, text: '', ...opened(e) }, e),
        ),
      };
    case 'message.started':
    case 'message.delta':
    case 'message.completed':
      return {
        ...s,
        messages: upsert(s.messages, mine(data.messageId, e), (it) => ({
          ...text(it ?? { id: data.messageId, text: '', role: 'assistant', ...opened(e) }, e),
          ...(type !== 'message.delta' && pick(data, ['role'])),
        })),
      };
    case 'llm.started':
    case 'llm.completed':
    case 'llm.failed':
      return reduceLlm(s, e);
    case 'tool.started':
    case 'tool.args.delta':
    case 'tool.called':
    case 'tool.progress':
    case 'tool.completed':
    case 'tool.failed':
    case 'tool.denied':
      return reduceTool(s, e);
    case 'state.snapshot':
      return { ...s, state: data.state };
    case 'state.patched': {
      const patched = applyPatch(s.state, data.patch);
      if (patched.ok) return { ...s, state: patched.value };
      return tellError(s, e, { code: 'patch_failed', message: patched.problem });
    }
    case 'artifact.added':
      return {
        ...s,
        artifacts: upsert(s.artifacts, by('artifactId', data.artifactId), () => data),
      };
    case 'source.added':
      return {
        ...s,
        sources: upsert(s.sources, by('sourceId', data.sourceId), () => data),
      };
    default:
      return reduceControl(s, e);
  }
}

function reducePlan(s: RunSnapshot, data: EventData<'plan.created'>): RunSnapshot {
  // By a map: one event can bring ten thousand steps.
  const steps = new Map(s.steps.map((step) => [step.id, step]));
  for (const { id, name, status } of data.steps) {
    steps.set(id, { ...(steps.get(id) ?? { id, status: 'pending' }), name, ...(status && { status }) });
  }
  const plan = { ...s.plan, ...pick(data, ['goal']), stepIds: data.steps.map(({ id }) => id) };
  return { ...s, steps: [...steps.values()], plan };
}

function reduceAgent(s: RunSnapshot, e: KnownEvent & { type: `agent.${string}` }): RunSnapshot {
  const { agent } = e;
  if (!agent) return s;
  const parentId = agent.path.split('/').at(-2);
  const agents = upsert(s.agents, byId(agent.id), (it) => {
    const { agentId: _self, ...span } = opened(e);
    const start = it ?? { ...agent, ...(parentId !== undefined && { parentId }), ...span };
    if (e.type === 'agent.started') return { ...start, ...pick(e.data, ['model', 'input', 'childRunId']) };
    return { ...start, ...ended(e, e.data), ...(e.type === 'agent.completed' && pick(e.data, ['output'])) };
  });
  return { ...s, agents };
}

function reduceLlm(s: RunSnapshot, e: KnownEvent & { type: `llm.${string}` }): RunSnapshot {
  const { callId } = e.data;
  const llmCalls = upsert(s.llmCalls, mine(callId, e), (it) => {
    const start = it ?? { id: callId, model: '', ...opened(e) };
    if (e.type === 'llm.failed') return { ...start, ...ended(e, e.data) };
    const about = { ...start, ...pick(e.data, ['model', 'provider']) };
    return e.type === 'llm.started' ? about : { ...about, ...ended(e, e.data), ...pick(e.data, ['usage', 'cost']) };
  });
  if (e.type !== 'llm.completed') return { ...s, llmCalls };
  const { usage, cost } = e.data;
  // Costs in different currencies cannot be added; the first one's stays.
  const sum =
    cost && s.cost?.currency === cost.currency ? { ...s.cost, amount: s.cost.amount + cost.amount } : (s.cost ?? cost);
  return { ...s, llmCalls, ...(usage && { usage: addUsage(s.usage, usage) }), ...(sum && { cost: sum }) };
}

const COUNTS = ['inputTokens', 'outputTokens', 'totalTokens', 'cachedInputTokens', 'reasoningTokens'] as const;

function addUsage(
  total: RunSnapshot['usage'],
  usage: NonNullable<RunSnapshot['usage']>,
): NonNullable<RunSnapshot['usage']> {
  const sum = { ...total };
  for (const count of COUNTS) {
    const more = usage[count];
    if (more !== undefined) sum[count] = (sum[count] ?? 0) + more;
  }
  return sum;
}

function reduceTool(s: RunSnapshot, e: KnownEvent & { type: `tool.${string}` }): RunSnapshot {
  const { toolCallId } = e.data;
  const tools = upsert(s.tools, mine(toolCallId, e), (it): ToolSpan => {
    const known = it ?? { id: toolCallId, name: '', argsText: '', ...opened(e) };
    const tool: ToolSpan =
      'name' in e.data && e.data.name !== undefined ? { ...known, name: e.data.name as string } : known;
    switch (e.type) {
      case 'tool.args.delta':
        return { ...tool, argsText: tool.argsText + e.data.delta };
      case 'tool.called':
        return { ...tool, args: e.data.args };
      case 'tool.progress':
        return { ...tool, progress: e.data };
      case 'tool.completed':
        return { ...tool, ...ended(e, e.data), ...pick(e.data, ['result']) };
      case 'tool.failed':
        return { ...tool, ...ended(e, e.data) };
      case 'tool.denied':
        return { ...tool, ...ended(e, {}), status: 'denied', ...pick(e.data, ['reason']) };
      default:
        return tool;
    }
  });
  return { ...s, tools };
}

/** Streamed text: deltas are appended; a whole text at the end replaces what was streamed. */
function text<T extends { text: string }>(
  span: T,
  e: KnownEvent & { type: `reasoning.${string}` | `message.${string}` },
): T {
  switch (e.type) {
    case 'reasoning.delta':
    case 'message.delta':
      return { ...span, text: span.text + e.data.delta };
    case 'reasoning.completed':
    case 'message.completed':
      return { ...span, ...ended(e, e.type === 'reasoning.completed' ? e.data : {}), ...pick(e.data, ['text']) };
    default:
      return span;
  }
}
