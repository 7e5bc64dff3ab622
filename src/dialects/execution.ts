/** The dialect of the execution door: nine events of an execution, from its plan to its result (docs/dialects.md). */
import type { ErrorInfo, KnownEvent, PlanStep, Usage } from '../protocol/index.ts';
import type { Dialect } from './dialect.ts';
import { isToolEvent, keyOf, Texts, TOOL_EVENTS, type ToolCall, ToolCalls } from './entities.ts';
import { foldingDialect } from './folding.ts';
import type { Said } from './said.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Phase {
  readonly phaseId: string;
  readonly phaseName: string;
}

interface Execution {
  /** What it is to do, as its first event said; `undefined` where the log no longer has that. */
  task: string | undefined;
  /** `time` of the first event that was told; `undefined` while none was. */
  startedAt: string | undefined;
  readonly tools: ToolCalls;
  /** `time` of `tool:start`, by call. */
  readonly calledAt: Map<string, string>;
  readonly phases: Map<string, Phase>;
  /** Ids of phases in the order of their indices: those that were planned, then those that were not. */
  order: readonly string[];
  readonly texts: Texts;
  thoughts: number;
  /** What `AgentSSEEmitter` said is the result. */
  result: unknown;
  /** The last whole message of the agents. */
  answer: string | undefined;
  tokens: number;
}

/**
 * The dialect of one execution. `executionId`: as its client wrote it, where that is not the run's own id.
 *
 * Frames carry `executionId`, `timestamp` and the fields of their event.
 */
export const execution = (executionId?: string): Dialect => {
  const frame = (id: string | undefined, [event, fields]: Named, timestamp?: string): Said => ({
    event,
    data: { executionId: executionId ?? id, timestamp, ...fields },
  });
  return foldingDialect<Execution>({
    name: `execution ${executionId ?? ''}`,
    types: [
      ...([
        'run.queued',
        'run.started',
        'plan.created',
        'plan.updated',
        'step.started',
        'step.completed',
        'step.failed',
      ] as const),
      ...(['reasoning.delta', 'reasoning.completed', 'message.delta', 'message.completed', ...TOOL_EVENTS] as const),
      ...(['llm.completed', 'usage.updated', 'custom'] as const),
    ],
    begin: () => ({
      ...{
        task: undefined,
        startedAt: undefined,
        order: [],
        thoughts: 0,
        result: undefined,
        answer: undefined,
        tokens: 0,
      },
      ...{ tools: new ToolCalls(), calledAt: new Map(), phases: new Map(), texts: new Texts() },
    }),
    say(execution, event) {
      if (event.type === 'run.queued') {
        // Said again, with a new position, it leaves out what it is to do.
        execution.task ??= taskOf(event.data.input);
        return [];
      }
      const isLate = execution.startedAt === undefined && event.type !== 'run.started';
      execution.startedAt ??= event.time;
      const { task = '' } = execution;
      const begins = isLate ? [begun(task, event.time, execution.task === undefined ? { truncated: true } : {})] : [];
      return [...begins, ...framesOf(execution, event)].map((it) => frame(event.runId, it, event.time));
    },
    words: {
      // Its clients take an execution that starts for a new one, and forget what they had.
      reset: ({ runId }, reason) => [frame(runId, ['execution:started', { task: '', reset: reason }])],
      deleted: ({ runId }) => [frame(runId, ['execution:error', { error: 'deleted', code: 'run_deleted', stack: '' }])],
    },
  });
};

type Named = readonly [name: string, fields: Fields];

const begun = (task: string, startedAt: string, more: Fields = {}): Named => [
  'execution:started',
  { task, startedAt, ...more },
];

function framesOf(execution: Execution, event: KnownEvent): readonly Named[] {
  if (isToolEvent(event)) return ofTool(execution, event);
  switch (event.type) {
    case 'run.started':
      return [begun(taskOf(event.data.input), event.time)];
    case 'run.completed': {
      const { output: result = execution.result ?? execution.answer, usage, durationMs } = event.data;
      count(execution, usage);
      const duration = durationMs ?? between(execution.startedAt, event.time);
      return [
        ...interrupted(execution, event),
        ['execution:complete', { result, duration, tokensUsed: execution.tokens }],
      ];
    }
    case 'run.failed': {
      const { code, message: error, stack = '' } = event.data.error;
      return [...interrupted(execution, event), ['execution:error', { error, code, stack }]];
    }
    case 'run.cancelled': {
      const fields = { error: 'cancelled', code: 'cancelled', stack: '', reason: event.data.reason };
      return [...interrupted(execution, event), ['execution:error', fields]];
    }
    case 'plan.created':
    case 'plan.updated': {
      const { goal = '', steps } = event.data;
      execution.order = steps.map(({ id }) => id);
      return [['plan:created', { plan: { goal, phases: steps.map(phaseOf) } }]];
    }
    case 'step.started': {
      const { stepId, name, index } = event.data;
      return [startPhase(execution, event, { phaseId: stepId, phaseName: name }, index)];
    }
    case 'step.completed':
      return endPhase(execution, event, event.data.stepId, { result: event.data.result });
    case 'step.failed':
      return endPhase(execution, event, event.data.stepId, { error: event.data.error.message });
    case 'reasoning.delta':
      execution.texts.add(thoughtOf(event, event.data.reasoningId), event.data.delta);
      return [];
    case 'reasoning.completed': {
      const { reasoningId, text } = event.data;
      const thought = execution.texts.complete(thoughtOf(event, reasoningId), text);
      return thought === '' ? [] : [['thinking', { thought, iteration: ++execution.thoughts }]];
    }
    case 'message.delta':
      execution.texts.add(keyOf(event, event.data.messageId), event.data.delta);
      return [];
    case 'message.completed': {
      const { messageId, text, role = 'assistant' } = event.data;
      const whole = execution.texts.complete(keyOf(event, messageId), text);
      if (role === 'assistant') execution.answer = whole;
      return [];
    }
    case 'llm.completed':
      execution.tokens += totalOf(event.data.usage) ?? 0;
      return [];
    case 'usage.updated':
      count(execution, event.data.usage);
      return [];
    case 'custom':
      if (event.data.name === 'execution:complete') execution.result = event.data.value;
      return [];
    default:
      return [];
  }
}

function ofTool(execution: Execution, event: Parameters<ToolCalls['take']>[0]): readonly Named[] {
  const { begins, ends } = execution.tools.take(event);
  const key = keyOf(event, event.data.toolCallId);
  if (begins) execution.calledAt.set(key, event.time);
  const began: Named[] = begins
    ? [['tool:start', { toolName: begins.name, params: begins.args, toolCallId: begins.toolCallId }]]
    : [];
  if (!ends) return began;
  const { result, durationMs } = outcomeOf(event);
  return [...began, toolComplete(execution, event, ends, result, durationMs)];
}

function outcomeOf(event: Parameters<ToolCalls['take']>[0]): { result?: unknown; durationMs?: number | undefined } {
  switch (event.type) {
    case 'tool.completed':
      return { result: event.data.result, durationMs: event.data.durationMs };
    case 'tool.failed':
      return { result: failure(event.data.error), durationMs: event.data.durationMs };
    default:
      return { result: { error: (event.type === 'tool.denied' && event.data.reason) || 'denied', code: 'denied' } };
  }
}

const failure = ({ message, code }: ErrorInfo): Fields => ({ error: message, code });

function toolComplete(
  { calledAt }: Execution,
  { time }: KnownEvent,
  call: ToolCall,
  result: unknown,
  durationMs?: number,
): Named {
  const key = keyOf(call, call.toolCallId);
  const duration = durationMs ?? between(calledAt.get(key), time);
  calledAt.delete(key);
  return ['tool:complete', { toolName: call.name, result, duration, toolCallId: call.toolCallId }];
}

function startPhase(execution: Execution, event: KnownEvent, phase: Phase, index?: number): Named {
  const { phaseId } = phase;
  execution.phases.set(keyOf(event, phaseId), phase);
  if (!execution.order.includes(phaseId)) execution.order = [...execution.order, phaseId];
  return ['phase:start', { ...phase, phaseIndex: index ?? execution.order.indexOf(phaseId) }];
}

/** A phase that ends without having begun begins here: the producer left that out, or the log no longer has it. */
function endPhase(execution: Execution, event: KnownEvent, phaseId: string, fields: Fields): readonly Named[] {
  const key = keyOf(event, phaseId);
  const phase = execution.phases.get(key) ?? { phaseId, phaseName: phaseId };
  const began = execution.phases.has(key) ? [] : [startPhase(execution, event, phase)];
  execution.phases.delete(key);
  return [...began, ['phase:complete', { ...phase, ...fields }]];
}

/** The end of an execution ends all that is open in it, the innermost first. */
function interrupted(execution: Execution, event: KnownEvent): readonly Named[] {
  const error = 'interrupted';
  const tools = execution.tools.interrupt().map((call) => toolComplete(execution, event, call, { error, code: error }));
  const phases = [...execution.phases.values()].map((phase): Named => ['phase:complete', { ...phase, error }]);
  execution.phases.clear();
  return [...tools, ...phases.reverse()];
}

const phaseOf = ({ id, name }: PlanStep): Fields => ({ id, name });

/** Thoughts and messages may have the same ids. */
const thoughtOf = (event: KnownEvent, reasoningId: string): string => `thought ${keyOf(event, reasoningId)}`;

/** The task as its client said it, or whatever else the run was given. */
function taskOf(input: unknown): string {
  const task = typeof input === 'object' && input !== null && 'task' in input ? input.task : (input ?? '');
  return typeof task === 'string' ? task : JSON.stringify(task);
}

/** What a run states as its total stands in the place of what was counted. */
function count(execution: Execution, usage: Usage | undefined): void {
  execution.tokens = totalOf(usage) ?? execution.tokens;
}

function totalOf(usage: Usage | undefined): number | undefined {
  if (!usage) return undefined;
  const { totalTokens, inputTokens, outputTokens } = usage;
  if (totalTokens !== undefined) return totalTokens;
  return inputTokens === undefined && outputTokens === undefined ? undefined : (inputTokens ?? 0) + (outputTokens ?? 0);
}

/** Milliseconds between two times of the log, whose clocks may have been set back meanwhile. */
const between = (from: string | undefined, to: string): number =>
  from === undefined ? 0 : Math.max(0, Date.parse(to) - Date.parse(from));
