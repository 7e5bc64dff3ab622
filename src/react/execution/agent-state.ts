/** What a page knows of an execution: a fold of the nine events of the execution door (docs/dialects.md). */

export interface AgentPhase {
  readonly id: string;
  readonly name: string;
  readonly status: 'pending' | 'running' | 'completed' | 'failed';
}

export interface AgentPlan {
  readonly goal: string;
  readonly phases: readonly AgentPhase[];
}

export interface AgentExecution {
  readonly id: string;
  readonly task: string;
  readonly status: 'running' | 'completed' | 'failed' | 'cancelled';
  /** RFC 3339. */
  readonly startedAt?: string;
  readonly plan?: AgentPlan;
  readonly result?: unknown;
  /** Milliseconds. */
  readonly duration?: number;
  readonly tokensUsed?: number;
  readonly error?: string;
  /** Id of the newest event that was heard. */
  readonly lastEventId?: string;
}

/** Something that the agent thought, or a tool that it used. */
export interface ThinkingStep {
  /** The same in every tab, and after a reload. */
  readonly id: string;
  readonly type: 'thinking' | 'tool_use' | 'tool_result';
  /** In words, to be shown. */
  readonly content: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly iteration?: number;
  readonly toolName?: string;
  readonly toolCallId?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  /** Milliseconds. */
  readonly duration?: number;
}

export interface AgentState {
  /**
   * The execution that was started or watched last, and **`null` before the first one**: ask with `?.`. The type leaves
   * that out because code that was written for this store, such as `error || currentExecution.error`, compiles only so.
   */
  readonly currentExecution: AgentExecution;
  /** The newest 1,000, oldest first. */
  readonly thinkingSteps: readonly ThinkingStep[];
  readonly isExecuting: boolean;
  /** Why the execution failed, or could not be started, watched or cancelled. */
  readonly error: string | null;
}

export const INITIAL: AgentState = {
  currentExecution: null as unknown as AgentExecution,
  thinkingSteps: [],
  isExecuting: false,
  error: null,
};

export const EVENT_NAMES = [
  ...(['execution:started', 'plan:created', 'phase:start', 'thinking', 'tool:start', 'tool:complete'] as const),
  ...(['phase:complete', 'execution:complete', 'execution:error'] as const),
];
export type AgentEventName = (typeof EVENT_NAMES)[number];

/** A long execution in a page that shows all of its steps would else fill the page's memory. */
const MAX_STEPS = 1_000;

/** The state of an execution of which nothing was heard yet; one that is known stays as it is. */
export function watching(state: AgentState, id: string, task = ''): AgentState {
  if (state.currentExecution?.id === id) return state;
  return { ...INITIAL, currentExecution: { id, task, status: 'running' }, isExecuting: true };
}

/** @param data of a frame, as the server sent it; `id`: the frame's. */
// biome-ignore lint/suspicious/noExplicitAny: docs/dialects.md says which fields each event has.
export function hear(state: AgentState, name: AgentEventName, data: any, id: string): AgentState {
  const { currentExecution: execution } = state;
  if (execution?.id !== data.executionId) return state;
  const heard = (more: Partial<AgentExecution>, rest: Partial<AgentState> = {}): AgentState => ({
    ...state,
    ...rest,
    currentExecution: { ...execution, lastEventId: id, ...more },
  });
  const step = (type: ThinkingStep['type'], content: string, about: Partial<ThinkingStep>): AgentState => {
    const told = { id, type, content, timestamp: data.timestamp, ...about };
    return heard({}, { thinkingSteps: [...state.thinkingSteps.slice(1 - MAX_STEPS), told] });
  };
  switch (name) {
    case 'execution:started': {
      const { executionId, task, startedAt } = data;
      const begun = { id: executionId, task: task || execution.task, status: 'running', lastEventId: id } as const;
      // It may start anew: what was heard of it before is void then.
      return { ...INITIAL, isExecuting: true, currentExecution: { ...begun, ...(startedAt && { startedAt }) } };
    }
    case 'plan:created':
      return heard({ plan: replan(data.plan, execution.plan) });
    case 'phase:start':
      return heard({ plan: marked(execution, data, 'running') });
    case 'phase:complete':
      return heard({ plan: marked(execution, data, data.error === undefined ? 'completed' : 'failed') });
    case 'thinking':
      return step('thinking', data.thought, { iteration: data.iteration });
    case 'tool:start': {
      const { toolName, toolCallId, params } = data;
      return step('tool_use', `${toolName} ${inWords(params)}`, { toolName, toolCallId, params });
    }
    case 'tool:complete': {
      const { toolName, toolCallId, result, duration } = data;
      return step('tool_result', `${toolName}: ${inWords(result)}`, { toolName, toolCallId, result, duration });
    }
    case 'execution:complete': {
      const { result, duration, tokensUsed } = data;
      return heard({ status: 'completed', result, duration, tokensUsed }, { isExecuting: false });
    }
    case 'execution:error': {
      const { error, code } = data;
      const status = code === 'cancelled' ? 'cancelled' : 'failed';
      return heard({ status, error }, { isExecuting: false, error });
    }
  }
}

/** A plan that changes keeps what is known of its phases. */
function replan({ goal, phases }: AgentPlan, before: AgentPlan | undefined): AgentPlan {
  const known = new Map(before?.phases.map((phase) => [phase.id, phase.status]));
  return { goal, phases: phases.map(({ id, name }) => ({ id, name, status: known.get(id) ?? 'pending' })) };
}

/** The plan with a phase in another status; one that was not planned is put behind the others. */
function marked(
  { plan, task }: AgentExecution,
  { phaseId: id, phaseName: name }: { readonly phaseId: string; readonly phaseName: string },
  status: AgentPhase['status'],
): AgentPlan {
  const { goal, phases } = plan ?? { goal: task, phases: [] };
  const phase = { id, name, status };
  if (!phases.some((it) => it.id === id)) return { goal, phases: [...phases, phase] };
  return { goal, phases: phases.map((it) => (it.id === id ? phase : it)) };
}

const inWords = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'done'));
