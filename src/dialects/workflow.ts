/** The dialect of the workflow door: thirteen events of a task, with what each call costs (docs/dialects.md). */
import type { Cost, ErrorInfo, KnownEvent, Usage } from '../protocol/index.ts';
import { isToolEvent, keyOf, Texts, TOOL_EVENTS, type ToolCall, ToolCalls } from './entities.ts';
import { foldingDialect } from './folding.ts';
import type { Said } from './said.ts';

type Fields = Readonly<Record<string, unknown>>;

/** What began and has not ended: the name of its end, and what that says. */
interface Span {
  readonly end: string;
  readonly about: Fields;
}

interface Task {
  agent: string | undefined;
  /** What it was to do, as its first event said. */
  given: Fields | undefined;
  isTold: boolean;
  readonly tools: ToolCalls;
  readonly spans: Map<string, Span>;
  readonly approvals: Set<string>;
  readonly texts: Texts;
  /** The last whole message of the agents. */
  answer: string | undefined;
}

export const workflow = foldingDialect<Task>({
  name: 'workflow',
  types: [
    ...(['run.queued', 'run.started', 'run.paused', 'run.resumed'] as const),
    ...(['step.started', 'step.completed', 'step.failed'] as const),
    ...(['llm.started', 'llm.completed', 'llm.failed', ...TOOL_EVENTS, 'message.delta', 'message.completed'] as const),
    ...(['approval.requested', 'approval.resolved', 'approval.expired', 'budget.warning', 'budget.exceeded'] as const),
  ],
  begin: () => ({
    ...{ agent: undefined, given: undefined, isTold: false, answer: undefined },
    ...{ tools: new ToolCalls(), spans: new Map(), approvals: new Set(), texts: new Texts() },
  }),
  say(task, event) {
    const said = framesOf(task, event);
    if (said.length === 0 || task.isTold) return said.map((it) => frame(task, event, it));
    task.isTold = true;
    const begins: Named[] =
      event.type === 'run.started' ? [] : [['WorkflowStarted', task.given ?? { truncated: true }]];
    return [...begins, ...said].map((it) => frame(task, event, it));
  },
  words: {
    reset: ({ runId }, reason) => [{ event: 'heartbeat', data: { type: 'heartbeat', task_id: runId, reset: reason } }],
    progress: ({ runId }) => [{ event: 'heartbeat', data: { type: 'heartbeat', task_id: runId } }],
    deleted: ({ runId }) => [
      {
        event: 'WorkflowFailed',
        data: { type: 'WorkflowFailed', task_id: runId, success: false, error: 'deleted', error_code: 'run_deleted' },
      },
    ],
    heartbeat: ({ runId }, { time }) => [
      { event: 'heartbeat', data: { type: 'heartbeat', task_id: runId, timestamp: time } },
    ],
  },
});

type Named = readonly [name: string, fields: Fields];

const frame = (task: Task, { runId, time, agent }: KnownEvent, [name, fields]: Named): Said => ({
  event: name,
  data: {
    ...{ type: name, task_id: runId, agent_id: task.agent },
    ...(agent && { agent_name: agent.name }),
    ...{ timestamp: time, ...fields },
  },
});

function framesOf(task: Task, event: KnownEvent): readonly Named[] {
  if (isToolEvent(event)) return ofTool(task, event);
  switch (event.type) {
    case 'run.queued':
    case 'run.started': {
      const { agent, input, metadata } = event.data;
      // Said again, with a new position, it leaves out what it is to do.
      if (event.type === 'run.queued' && task.given) return [];
      task.agent = typeof metadata?.agent_id === 'string' ? metadata.agent_id : agent;
      task.given = { input, metadata };
      return event.type === 'run.queued' ? [] : [['WorkflowStarted', { input, metadata }]];
    }
    case 'run.completed': {
      const { output = task.answer, usage, cost, durationMs } = event.data;
      const fields = { result: output, ...tokens(usage), ...money(cost), duration_ms: durationMs };
      return [...interrupted(task), ['WorkflowCompleted', { success: true, ...fields }]];
    }
    case 'run.failed': {
      const { error, usage, durationMs } = event.data;
      const fields = { ...failure(error), ...tokens(usage), duration_ms: durationMs };
      return [...interrupted(task), ['WorkflowFailed', fields]];
    }
    case 'run.cancelled': {
      const { reason, by, durationMs } = event.data;
      const fields = { success: false, error: 'cancelled', error_code: 'cancelled', reason, by };
      return [...interrupted(task), ['WorkflowFailed', { ...fields, duration_ms: durationMs }]];
    }
    case 'run.paused':
      return [['WorkflowPaused', { reason: event.data.reason, by: event.data.by }]];
    case 'run.resumed':
      return [['WorkflowResumed', { by: event.data.by }]];
    case 'step.started': {
      const { stepId, name, index } = event.data;
      return begin(task, event, stepId, 'WorkflowStep', { step_id: stepId, step_name: name }, { step_index: index });
    }
    case 'step.completed': {
      const { stepId, result, durationMs } = event.data;
      return end(
        task,
        event,
        stepId,
        'WorkflowStep',
        { step_id: stepId, step_name: stepId },
        { success: true, result, duration_ms: durationMs },
      );
    }
    case 'step.failed': {
      const { stepId, error, durationMs } = event.data;
      return end(
        task,
        event,
        stepId,
        'WorkflowStep',
        { step_id: stepId, step_name: stepId },
        { ...failure(error), duration_ms: durationMs },
      );
    }
    case 'llm.started': {
      const { callId, model, provider, estimatedCost } = event.data;
      const estimate = estimatedCost && { estimated_cost: estimatedCost.amount, currency: estimatedCost.currency };
      return begin(task, event, callId, 'WorkflowLLMCall', { call_id: callId, model, provider }, estimate);
    }
    case 'llm.completed': {
      const { callId, model, provider, usage, cost, durationMs } = event.data;
      return end(
        task,
        event,
        callId,
        'WorkflowLLMCall',
        { call_id: callId, model, provider },
        { success: true, ...tokens(usage), ...money(cost), duration_ms: durationMs },
      );
    }
    case 'llm.failed': {
      const { callId, error, durationMs } = event.data;
      return end(
        task,
        event,
        callId,
        'WorkflowLLMCall',
        { call_id: callId },
        { ...failure(error), duration_ms: durationMs },
      );
    }
    case 'approval.requested': {
      const { approvalId, prompt, toolCallId, options } = event.data;
      task.approvals.add(approvalId);
      const fields = { waiting_for: 'approval', approval_id: approvalId, reason: prompt, options };
      return [['WorkflowPaused', { ...fields, tool_call_id: toolCallId }]];
    }
    case 'approval.resolved':
    case 'approval.expired': {
      const { approvalId } = event.data;
      if (!task.approvals.delete(approvalId)) return [];
      const { decision, by } = event.type === 'approval.resolved' ? event.data : { decision: 'expired', by: undefined };
      return [['WorkflowResumed', { approval_id: approvalId, decision, by }]];
    }
    case 'budget.warning':
    case 'budget.exceeded': {
      const { limit, used, max } = event.data;
      if (event.type === 'budget.warning') return [['WorkflowBudgetWarning', { limit, used, max }]];
      return [['WorkflowBudgetExceeded', { limit, used, max, decision: event.data.decision }]];
    }
    case 'message.delta':
      task.texts.add(keyOf(event, event.data.messageId), event.data.delta);
      return [];
    case 'message.completed': {
      const { messageId, text, role = 'assistant' } = event.data;
      const whole = task.texts.complete(keyOf(event, messageId), text);
      if (role === 'assistant') task.answer = whole;
      return [];
    }
    default:
      return [];
  }
}

function ofTool(task: Task, event: Parameters<ToolCalls['take']>[0]): readonly Named[] {
  const { begins, ends } = task.tools.take(event);
  const began: Named[] = begins ? [['WorkflowToolCallStarted', { ...called(begins), arguments: begins.args }]] : [];
  if (!ends) return began;
  return [...began, ['WorkflowToolCallCompleted', { ...called(ends), ...outcome(event) }]];
}

function outcome(event: KnownEvent): Fields {
  switch (event.type) {
    case 'tool.completed':
      return { success: true, result: event.data.result, duration_ms: event.data.durationMs };
    case 'tool.failed':
      return { ...failure(event.data.error), duration_ms: event.data.durationMs };
    case 'tool.denied':
      return { success: false, error: event.data.reason ?? 'denied', error_code: 'denied' };
    default:
      return {};
  }
}

const called = ({ toolCallId, name, agent }: ToolCall): Fields => ({
  ...(agent && { agent_name: agent.name }),
  ...{ tool_call_id: toolCallId, tool_name: name },
});

function begin(task: Task, event: KnownEvent, id: string, kind: string, about: Fields, more: Fields = {}): Named[] {
  const of = event.agent && { agent_name: event.agent.name };
  task.spans.set(`${kind} ${keyOf(event, id)}`, { end: `${kind}Completed`, about: { ...of, ...about } });
  return [[`${kind}Started`, { ...about, ...more }]];
}

/** What ends without having begun begins here: the producer left that out, or the log no longer has it. */
function end(task: Task, event: KnownEvent, id: string, kind: string, about: Fields, fields: Fields): Named[] {
  const key = `${kind} ${keyOf(event, id)}`;
  const began = task.spans.get(key);
  const late = began ? [] : begin(task, event, id, kind, about);
  task.spans.delete(key);
  return [...late, [`${kind}Completed`, { ...(began?.about ?? about), ...fields }]];
}

/** The end of a run ends all that is open in it. */
function interrupted(task: Task): Named[] {
  const cut = { success: false, error: 'interrupted', error_code: 'interrupted' };
  const tools = task.tools.interrupt().map((call): Named => ['WorkflowToolCallCompleted', { ...called(call), ...cut }]);
  const spans = [...task.spans.values()].map(({ end, about }): Named => [end, { ...about, ...cut }]);
  task.spans.clear();
  return [...tools, ...spans.reverse()];
}

const failure = ({ code, message, retryable }: ErrorInfo): Fields => ({
  ...{ success: false, error: message, error_code: code },
  retryable,
});

const tokens = (usage: Usage | undefined): Fields | undefined =>
  usage && {
    usage: {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      total_tokens: usage.totalTokens,
      cached_input_tokens: usage.cachedInputTokens,
      reasoning_tokens: usage.reasoningTokens,
    },
  };

const money = (cost: Cost | undefined): Fields | undefined => cost && { cost: cost.amount, currency: cost.currency };
