import { describe, it } from 'vitest';
import { dialectCases } from '../testing/dialect.cases.ts';
import { workflow } from './workflow.ts';

const said = (id: string, name: string, fields: object, agent_id: string | undefined = 'analyst') => ({
  id: `e1.${id}`,
  event: name,
  data: {
    ...{ type: name, task_id: 'r1', ...(agent_id && { agent_id }) },
    ...{ timestamp: '2026-11-20T18:00:00.000Z', ...fields },
  },
});
const error = { code: 'broken', message: 'It broke', retryable: true };
const cost = (amount: number) => ({ amount, currency: 'EUR', source: 'provider' });
const reader = { agent: { id: 'a1', name: 'Reader', path: 'a1' } };
const started = ['run.started', { agent: 'analyst', input: 'Why?' }] as const;

describe('the workflow dialect', () => {
  dialectCases({
    test: it,
    dialect: workflow,
    spans(frame) {
      const { type, step_id, call_id, tool_call_id, agent_name } = frame.data as Record<string, string>;
      const [, kind, what] = /^(Workflow(?:Step|LLMCall|ToolCall)?)(Started|Completed|Failed)$/.exec(type!) ?? [];
      const name = `${kind} ${kind === 'Workflow' ? '' : `${step_id ?? call_id ?? tool_call_id} of ${agent_name}`}`;
      return what === undefined ? {} : what === 'Started' ? { begins: name } : { ends: name };
    },
    golden: [
      {
        name: 'a model call, a budget, a tool and the result',
        events: [
          started,
          ['llm.started', { callId: 'c', model: 'm', provider: 'p', estimatedCost: cost(0.2) }],
          [
            'llm.completed',
            { callId: 'c', usage: { inputTokens: 5, cachedInputTokens: 2 }, cost: cost(0.1), durationMs: 7 },
          ],
          ['budget.warning', { limit: 'cost', used: 0.8, max: 1 }],
          ['tool.started', { toolCallId: 't', name: 'read' }],
          ['tool.called', { toolCallId: 't', name: 'read', args: { path: 'x' } }],
          ['tool.completed', { toolCallId: 't', result: 'text', durationMs: 3 }],
          ['budget.exceeded', { limit: 'cost', used: 1.2, max: 1, decision: 'stop' }],
          ['run.completed', { output: 'So.', cost: cost(0.3), durationMs: 9 }],
        ],
        frames: [
          said('1', 'WorkflowStarted', { input: 'Why?' }),
          said('2', 'WorkflowLLMCallStarted', {
            ...{ call_id: 'c', model: 'm', provider: 'p' },
            ...{ estimated_cost: 0.2, currency: 'EUR' },
          }),
          said('3', 'WorkflowLLMCallCompleted', {
            ...{ call_id: 'c', model: 'm', provider: 'p', success: true },
            ...{ usage: { input_tokens: 5, cached_input_tokens: 2 }, cost: 0.1, currency: 'EUR', duration_ms: 7 },
          }),
          said('4', 'WorkflowBudgetWarning', { limit: 'cost', used: 0.8, max: 1 }),
          said('6', 'WorkflowToolCallStarted', { tool_call_id: 't', tool_name: 'read', arguments: { path: 'x' } }),
          said('7', 'WorkflowToolCallCompleted', {
            ...{ tool_call_id: 't', tool_name: 'read', success: true },
            ...{ result: 'text', duration_ms: 3 },
          }),
          said('8', 'WorkflowBudgetExceeded', { limit: 'cost', used: 1.2, max: 1, decision: 'stop' }),
          said('9', 'WorkflowCompleted', {
            ...{ success: true, result: 'So.', cost: 0.3 },
            ...{ currency: 'EUR', duration_ms: 9 },
          }),
        ],
      },
      {
        name: 'steps that succeed: what they gave, how long they took, and by whom',
        events: [
          started,
          ['step.started', { stepId: 's', name: 'Read', index: 0 }],
          ['step.started', { stepId: 's', name: 'Skim' }, reader],
          ['step.completed', { stepId: 's', result: ['a'], durationMs: 4 }, reader],
          ['step.completed', { stepId: 's', durationMs: 5 }],
          ['run.completed', {}],
        ],
        frames: [
          said('1', 'WorkflowStarted', { input: 'Why?' }),
          said('2', 'WorkflowStepStarted', { step_id: 's', step_name: 'Read', step_index: 0 }),
          said('3', 'WorkflowStepStarted', { agent_name: 'Reader', step_id: 's', step_name: 'Skim' }),
          said('4', 'WorkflowStepCompleted', {
            ...{ agent_name: 'Reader', step_id: 's', step_name: 'Skim' },
            ...{ success: true, result: ['a'], duration_ms: 4 },
          }),
          said('5', 'WorkflowStepCompleted', { step_id: 's', step_name: 'Read', success: true, duration_ms: 5 }),
          said('6', 'WorkflowCompleted', { success: true }),
        ],
      },
      {
        name: 'what fails, what is denied and what waits for a person',
        events: [
          started,
          ['step.started', { stepId: 's', name: 'Read', index: 0 }],
          ['tool.started', { toolCallId: 't', name: 'rm' }],
          ['tool.args.delta', { toolCallId: 't', delta: '{"path":"x"}' }],
          ['tool.failed', { toolCallId: 't', error }],
          ['tool.denied', { toolCallId: 'u', name: 'curl', reason: 'no' }],
          ['approval.requested', { approvalId: 'a', prompt: 'May I?' }],
          ['approval.resolved', { approvalId: 'a', decision: 'no', by: 'ada' }],
          ['llm.failed', { callId: 'c', error }],
          ['step.failed', { stepId: 's', error }],
          ['run.failed', { error }],
        ],
        frames: [
          said('1', 'WorkflowStarted', { input: 'Why?' }),
          said('2', 'WorkflowStepStarted', { step_id: 's', step_name: 'Read', step_index: 0 }),
          said('5.1', 'WorkflowToolCallStarted', { tool_call_id: 't', tool_name: 'rm', arguments: { path: 'x' } }),
          said('5', 'WorkflowToolCallCompleted', {
            ...{ tool_call_id: 't', tool_name: 'rm', success: false },
            ...{ error: 'It broke', error_code: 'broken', retryable: true },
          }),
          said('6.1', 'WorkflowToolCallStarted', { tool_call_id: 'u', tool_name: 'curl', arguments: {} }),
          said('6', 'WorkflowToolCallCompleted', {
            ...{ tool_call_id: 'u', tool_name: 'curl', success: false },
            ...{ error: 'no', error_code: 'denied' },
          }),
          said('7', 'WorkflowPaused', { waiting_for: 'approval', approval_id: 'a', reason: 'May I?' }),
          said('8', 'WorkflowResumed', { approval_id: 'a', decision: 'no', by: 'ada' }),
          said('9.1', 'WorkflowLLMCallStarted', { call_id: 'c' }),
          said('9', 'WorkflowLLMCallCompleted', {
            ...{ call_id: 'c', success: false, error: 'It broke', error_code: 'broken', retryable: true },
          }),
          said('10', 'WorkflowStepCompleted', {
            ...{ step_id: 's', step_name: 'Read', success: false },
            ...{ error: 'It broke', error_code: 'broken', retryable: true },
          }),
          said('11', 'WorkflowFailed', { success: false, error: 'It broke', error_code: 'broken', retryable: true }),
        ],
      },
      {
        name: 'a cancel in the middle of a call, whose result is what was said last',
        events: [
          started,
          ['message.delta', { messageId: 'm', delta: 'So ' }],
          ['message.delta', { messageId: 'm', delta: 'far.' }],
          ['message.completed', { messageId: 'm' }],
          ['tool.called', { toolCallId: 't', name: 'wait', args: 1 }],
          ['run.cancelled', { reason: 'Enough', by: 'ada' }],
        ],
        frames: [
          said('1', 'WorkflowStarted', { input: 'Why?' }),
          said('5', 'WorkflowToolCallStarted', { tool_call_id: 't', tool_name: 'wait', arguments: 1 }),
          said('6.1', 'WorkflowToolCallCompleted', {
            ...{ tool_call_id: 't', tool_name: 'wait', success: false },
            ...{ error: 'interrupted', error_code: 'interrupted' },
          }),
          said('6', 'WorkflowFailed', {
            ...{ success: false, error: 'cancelled', error_code: 'cancelled', reason: 'Enough', by: 'ada' },
          }),
        ],
      },
      {
        name: 'a run without an output, and an agent that its client calls otherwise',
        events: [
          ['run.started', { agent: 'analyst', metadata: { agent_id: '7d' } }],
          ['message.completed', { messageId: 'm', text: 'All of it.' }],
          ['run.completed', {}],
        ],
        frames: [
          said('1', 'WorkflowStarted', { metadata: { agent_id: '7d' } }, '7d'),
          said('3', 'WorkflowCompleted', { success: true, result: 'All of it.' }, '7d'),
        ],
      },
      {
        name: 'a run that waits for its turn and is cancelled then: it begins directly before its end',
        events: [
          ['run.queued', { agent: 'analyst', input: 'Why?', metadata: { agent_id: '7d' }, position: 2 }],
          ['run.queued', { agent: 'analyst', position: 1 }],
          ['run.cancelled', { by: 'ada' }],
        ],
        frames: [
          said('3.1', 'WorkflowStarted', { input: 'Why?', metadata: { agent_id: '7d' } }, '7d'),
          said('3', 'WorkflowFailed', { success: false, error: 'cancelled', error_code: 'cancelled', by: 'ada' }, '7d'),
        ],
      },
    ],
  });
});
