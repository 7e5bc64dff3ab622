/** The dialect of the agent-activity door: what the agents of a session do, in words for people (docs/dialects.md). */

import type { AgentRef, KnownEvent } from '../protocol/index.ts';
import type { Dialect } from './dialect.ts';
import { isToolEvent, keyOf, Texts, TOOL_EVENTS, ToolCalls } from './entities.ts';
import { foldingDialect } from './folding.ts';
import type { Said } from './said.ts';

interface Run {
  agent: string;
  /** Nobody but Telltale tells of the beginning and end of a run that is executed here; a remote producer tells itself. */
  isLocal: boolean;
  readonly tools: ToolCalls;
  readonly texts: Texts;
  /** Names of steps and models by the ids that their ends have. */
  readonly names: Map<string, string>;
}

/**
 * The dialect of one session. `sessionId`: as its client wrote it, where that is not the thread's own id.
 *
 * Frames carry `session_id`, `agent_name`, `action`, `status`, `details` and `timestamp`.
 */
export const agentActivity = (sessionId?: string): Dialect =>
  foldingDialect<Run>({
    name: `agent-activity ${sessionId ?? ''}`,
    types: [
      ...(['run.started', 'run.paused', 'run.resumed', 'plan.created', 'plan.updated', 'progress.updated'] as const),
      ...(['step.started', 'step.completed', 'step.failed', 'agent.started', 'agent.completed'] as const),
      ...([
        'agent.failed',
        'activity.reported',
        'status.updated',
        'llm.started',
        'llm.completed',
        'llm.failed',
      ] as const),
      ...(['reasoning.delta', 'reasoning.completed', 'message.delta', 'message.completed', ...TOOL_EVENTS] as const),
      ...(['approval.requested', 'approval.resolved', 'approval.expired', 'input.received'] as const),
      ...([
        'budget.warning',
        'budget.exceeded',
        'control.requested',
        'control.refused',
        'artifact.added',
        'error.reported',
      ] as const),
      'custom',
    ],
    begin: () => ({
      ...{ agent: '', isLocal: false },
      ...{ tools: new ToolCalls(), texts: new Texts(), names: new Map() },
    }),
    say(run, event) {
      const told = tell(run, event);
      if (!told) return [];
      const { name = ACTIVITY, action, status, details } = told;
      const about = { session_id: sessionId ?? event.threadId, agent_name: nameOf(event.agent, run) };
      return [{ event: name, data: { ...about, action, status, details, timestamp: event.time } }];
    },
    words: {
      reset: ({ threadId }, reason) => [
        notice('error', sessionId ?? threadId, { action: 'Stream restarted', status: 'reset', details: reason }),
      ],
      // One that has only expired may be renewed until the client is back.
      revoked: ({ threadId }, reason) =>
        reason === 'revoked'
          ? [notice('error', sessionId ?? threadId, { action: 'Access ended', status: 'revoked' })]
          : [],
      // The document's 30 seconds: every other beat is a comment.
      heartbeat: ({ threadId }, { count, time }) =>
        count % 2 === 0 ? [notice('heartbeat', sessionId ?? threadId, { timestamp: time })] : [],
    },
  });

const ACTIVITY = 'agentActivity';
const STATUS = 'agentStatusUpdate';

const notice = (event: string, session: string, fields: Readonly<Record<string, string>>): Said => ({
  event,
  data: { session_id: session, ...fields },
});

const nameOf = (agent: AgentRef | undefined, { agent: ofRun }: Run): string => agent?.name ?? ofRun;

interface Told {
  /** `agentActivity` where it is not said. */
  readonly name?: string;
  readonly action: string;
  readonly status: string;
  readonly details?: unknown;
}

const running = (action: string, details?: unknown): Told => ({ action, status: 'in-progress', details });
const done = (action: string, details?: unknown): Told => ({ action, status: 'completed', details });
const failed = (action: string, { message }: { readonly message: string }): Told => ({
  ...{ action, status: 'error' },
  details: message,
});
const status = (action: string, now: string, details?: unknown): Told => ({
  ...{ name: STATUS, action, status: now },
  details,
});

function tell(run: Run, event: KnownEvent): Told | undefined {
  if (isToolEvent(event)) return ofTool(run, event);
  switch (event.type) {
    case 'run.started': {
      const { agent, mode, input } = event.data;
      run.agent = agent;
      run.isLocal = mode !== 'remote';
      return run.isLocal ? running('Run', input) : undefined;
    }
    case 'run.completed':
      return run.isLocal ? done('Run', event.data.output) : undefined;
    case 'run.failed':
      return { name: 'error', ...failed('Run', event.data.error) };
    case 'run.cancelled':
      return { action: 'Run', status: 'cancelled', details: event.data.reason };
    case 'run.paused':
      return status('Run', 'paused', event.data.reason);
    case 'run.resumed':
      return status('Run', 'in-progress');
    case 'plan.created':
    case 'plan.updated':
      return running('Plan', [event.data.goal, ...event.data.steps.map(({ name }) => name)].filter(Boolean).join('; '));
    case 'step.started':
      return running(named(run, event, event.data.stepId, event.data.name));
    case 'step.completed':
      return done(nameLeft(run, event, event.data.stepId, event.data.stepId), event.data.result);
    case 'step.failed':
      return failed(nameLeft(run, event, event.data.stepId, event.data.stepId), event.data.error);
    case 'progress.updated':
      return running(event.data.message ?? 'Progress', `${Math.round(event.data.progress * 100)} %`);
    case 'agent.started':
      return status('Agent', 'in-progress', event.data.input);
    case 'agent.completed':
      return status('Agent', 'completed', event.data.output);
    case 'agent.failed':
      return status('Agent', 'error', event.data.error.message);
    case 'activity.reported':
      return event.data;
    case 'status.updated':
      return status('Status', event.data.status, event.data.message);
    case 'llm.started':
      return running(named(run, event, event.data.callId, `Calling ${event.data.model}`));
    case 'llm.completed':
      return done(nameLeft(run, event, event.data.callId, `Calling ${event.data.model ?? 'the model'}`));
    case 'llm.failed':
      return failed(nameLeft(run, event, event.data.callId, 'Calling the model'), event.data.error);
    case 'reasoning.delta':
      return void run.texts.add(keyOf(event, `r ${event.data.reasoningId}`), event.data.delta);
    case 'message.delta':
      return void run.texts.add(keyOf(event, `m ${event.data.messageId}`), event.data.delta);
    case 'reasoning.completed':
      return done('Thinking', run.texts.complete(keyOf(event, `r ${event.data.reasoningId}`), event.data.text));
    case 'message.completed':
      return done('Message', run.texts.complete(keyOf(event, `m ${event.data.messageId}`), event.data.text));
    case 'approval.requested':
      return status('Approval', 'waiting', event.data.prompt);
    case 'approval.resolved':
      return status('Approval', event.data.decision, event.data.comment);
    case 'approval.expired':
      return status('Approval', 'expired');
    case 'input.received':
      return done('Input', event.data.input);
    case 'budget.warning':
      return { action: 'Budget', status: 'warning', details: figures(event.data) };
    case 'budget.exceeded':
      return { action: 'Budget', status: 'exceeded', details: figures(event.data) };
    case 'control.requested':
      return status('Run', `${event.data.command}-requested`, event.data.reason);
    case 'control.refused':
      return status('Run', 'request-refused', event.data.error.message);
    case 'artifact.added':
      return done('Artifact', event.data.name);
    case 'error.reported':
      return failed('Error', event.data.error);
    case 'custom':
      return running(event.data.name, event.data.value);
    default:
      return undefined;
  }
}

function ofTool(run: Run, event: Parameters<ToolCalls['take']>[0]): Told | undefined {
  const { begins, ends } = run.tools.take(event);
  if (!ends) return begins && running(`Calling ${begins.name}`, begins.args);
  const action = `Calling ${ends.name}`;
  if (event.type === 'tool.failed') return failed(action, event.data.error);
  if (event.type === 'tool.denied') return { action, status: 'denied', details: event.data.reason };
  return event.type === 'tool.completed' ? done(action, event.data.result) : undefined;
}

function named(run: Run, event: KnownEvent, id: string, name: string): string {
  run.names.set(spanKey(event, id), name);
  return name;
}

/** Steps and model calls may have the same id. */
const spanKey = (event: KnownEvent, id: string): string => keyOf(event, `${event.type.split('.')[0]} ${id}`);

function nameLeft(run: Run, event: KnownEvent, id: string, otherwise: string): string {
  const key = spanKey(event, id);
  const name = run.names.get(key) ?? otherwise;
  run.names.delete(key);
  return name;
}

const figures = ({ limit, used, max }: { limit: string; used: number; max: number }): string =>
  `${limit}: ${used} of ${max}`;
