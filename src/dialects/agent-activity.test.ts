import { describe, it } from 'vitest';
import { dialectCases } from '../testing/dialect.cases.ts';
import { agentActivity } from './agent-activity.ts';

const said = (id: string, event: string, agent_name: string, action: string, status: string, details?: unknown) => ({
  id: `e1.${id}`,
  event,
  data: {
    ...{ session_id: 't1', agent_name, action, status, ...(details !== undefined && { details }) },
    timestamp: '2026-11-20T18:00:00.000Z',
  },
});
const agent = { agent: { id: 'd1', name: 'Document Agent', path: 'd1' } };
const error = { code: 'broken', message: 'It broke' };

describe('the agent-activity dialect', () => {
  dialectCases({
    test: it,
    dialect: agentActivity(),
    golden: [
      {
        name: 'what a remote producer reports, and nothing else',
        events: [
          ['run.started', { agent: 'session', mode: 'remote' }],
          ['activity.reported', { action: 'Reading', status: 'in-progress', details: 'a.pdf' }, agent],
          ['status.updated', { status: 'idle' }, agent],
          ['run.completed', {}],
        ],
        frames: [
          said('2', 'agentActivity', 'Document Agent', 'Reading', 'in-progress', 'a.pdf'),
          said('3', 'agentStatusUpdate', 'Document Agent', 'Status', 'idle'),
        ],
      },
      {
        name: 'an agent of this process, whose tool fails, and whose run fails',
        events: [
          ['run.started', { agent: 'analyst', mode: 'local', input: 'Why?' }],
          ['agent.started', {}, agent],
          ['step.started', { stepId: 's', name: 'Read it' }, agent],
          ['reasoning.delta', { reasoningId: 'r', delta: 'so ' }, agent],
          ['reasoning.delta', { reasoningId: 'r', delta: 'it is' }, agent],
          ['reasoning.completed', { reasoningId: 'r' }, agent],
          ['tool.called', { toolCallId: 't', name: 'read', args: { path: 'x' } }, agent],
          ['tool.failed', { toolCallId: 't', error }, agent],
          ['step.failed', { stepId: 's', error }, agent],
          ['error.reported', { error }, agent],
          ['budget.warning', { limit: 'tokens', used: 8, max: 10 }],
          ['control.requested', { command: 'cancel', commandId: 'c' }],
          ['agent.failed', { error }, agent],
          ['run.failed', { error }],
        ],
        frames: [
          said('1', 'agentActivity', 'analyst', 'Run', 'in-progress', 'Why?'),
          said('2', 'agentStatusUpdate', 'Document Agent', 'Agent', 'in-progress'),
          said('3', 'agentActivity', 'Document Agent', 'Read it', 'in-progress'),
          said('6', 'agentActivity', 'Document Agent', 'Thinking', 'completed', 'so it is'),
          said('7', 'agentActivity', 'Document Agent', 'Calling read', 'in-progress', { path: 'x' }),
          said('8', 'agentActivity', 'Document Agent', 'Calling read', 'error', 'It broke'),
          said('9', 'agentActivity', 'Document Agent', 'Read it', 'error', 'It broke'),
          said('10', 'agentActivity', 'Document Agent', 'Error', 'error', 'It broke'),
          said('11', 'agentActivity', 'analyst', 'Budget', 'warning', 'tokens: 8 of 10'),
          said('12', 'agentStatusUpdate', 'analyst', 'Run', 'cancel-requested'),
          said('13', 'agentStatusUpdate', 'Document Agent', 'Agent', 'error', 'It broke'),
          said('14', 'error', 'analyst', 'Run', 'error', 'It broke'),
        ],
      },
    ],
  });
});
