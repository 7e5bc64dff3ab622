import { describe, expect, it } from 'vitest';
import { dialectCases } from '../testing/dialect.cases.ts';
import { execution } from './execution.ts';

const AT = '2026-11-20T18:00:00.000Z';
const said = (id: string, event: string, fields: object) => ({
  id: `e1.${id}`,
  event,
  data: { executionId: 'r1', timestamp: AT, ...fields },
});
const begun = (task: string) => said('1', 'execution:started', { task, startedAt: AT });
const error = { code: 'broken', message: 'It broke', retryable: true };
const started = ['run.started', { agent: 'builder', input: 'Create a landing page' }] as const;
const steps = [
  { id: 's1', name: 'Design' },
  { id: 's2', name: 'Write' },
];

describe('the execution dialect', () => {
  dialectCases({
    test: it,
    dialect: execution(),
    spans({ event, data }) {
      const { phaseId, toolCallId, toolName } = data as Record<string, string>;
      const what = /^(execution|phase|tool):(started|start|complete|error)$/.exec(event ?? '');
      if (!what) return {};
      const name = `${what[1]} ${phaseId ?? ''}${toolCallId ?? ''}${toolName ?? ''}`;
      return /^start/.test(what[2]!) ? { begins: name } : { ends: name };
    },
    golden: [
      {
        name: 'a plan, a thought, a phase with a tool, and the result',
        events: [
          started,
          ['reasoning.delta', { reasoningId: 'a', delta: 'Planning ' }],
          ['reasoning.delta', { reasoningId: 'a', delta: 'the page' }],
          ['reasoning.completed', { reasoningId: 'a' }],
          ['plan.created', { goal: 'A page', steps }],
          ['step.started', { stepId: 's2', name: 'Write' }],
          ['reasoning.completed', { reasoningId: 'b', text: 'Plain HTML' }],
          ['tool.started', { toolCallId: 't', name: 'create_file' }],
          ['tool.called', { toolCallId: 't', name: 'create_file', args: { path: 'index.html' } }],
          ['tool.completed', { toolCallId: 't', result: { bytes: 12 }, durationMs: 3 }],
          ['step.completed', { stepId: 's2', result: 'done' }],
          ['llm.completed', { callId: 'c', usage: { inputTokens: 5, outputTokens: 7 } }],
          ['llm.completed', { callId: 'd', usage: { totalTokens: 30 } }],
          ['run.completed', { output: { page: 'index.html' }, durationMs: 9 }],
        ],
        frames: [
          begun('Create a landing page'),
          said('4', 'thinking', { thought: 'Planning the page', iteration: 1 }),
          said('5', 'plan:created', { plan: { goal: 'A page', phases: steps } }),
          said('6', 'phase:start', { phaseId: 's2', phaseName: 'Write', phaseIndex: 1 }),
          said('7', 'thinking', { thought: 'Plain HTML', iteration: 2 }),
          said('9', 'tool:start', { toolName: 'create_file', params: { path: 'index.html' }, toolCallId: 't' }),
          said('10', 'tool:complete', {
            ...{ toolName: 'create_file', result: { bytes: 12 }, duration: 3, toolCallId: 't' },
          }),
          said('11', 'phase:complete', { phaseId: 's2', phaseName: 'Write', result: 'done' }),
          said('14', 'execution:complete', { result: { page: 'index.html' }, duration: 9, tokensUsed: 42 }),
        ],
      },
      {
        name: 'what fails, what was not planned, and what nobody measured',
        events: [
          ['run.started', { agent: 'builder', input: { task: 'Build', parameters: { dark: true } } }],
          ['plan.created', { steps: steps.slice(0, 1) }],
          ['step.started', { stepId: 'x', name: 'Unplanned' }],
          ['tool.args.delta', { toolCallId: 't', delta: '{"path":"x"}' }],
          ['tool.failed', { toolCallId: 't', name: 'rm', error }],
          ['tool.denied', { toolCallId: 'u', name: 'curl', reason: 'no' }],
          ['tool.denied', { toolCallId: 'v', name: 'wget' }],
          ['step.failed', { stepId: 'x', error }],
          ['step.failed', { stepId: 'unheard', error }],
          ['run.failed', { error: { ...error, stack: 'at x' } }],
        ],
        frames: [
          begun('Build'),
          said('2', 'plan:created', { plan: { goal: '', phases: steps.slice(0, 1) } }),
          said('3', 'phase:start', { phaseId: 'x', phaseName: 'Unplanned', phaseIndex: 1 }),
          said('5.1', 'tool:start', { toolName: 'rm', params: { path: 'x' }, toolCallId: 't' }),
          said('5', 'tool:complete', {
            ...{ toolName: 'rm', result: { error: 'It broke', code: 'broken' }, duration: 0, toolCallId: 't' },
          }),
          said('6.1', 'tool:start', { toolName: 'curl', params: {}, toolCallId: 'u' }),
          said('6', 'tool:complete', {
            ...{ toolName: 'curl', result: { error: 'no', code: 'denied' }, duration: 0, toolCallId: 'u' },
          }),
          said('7.1', 'tool:start', { toolName: 'wget', params: {}, toolCallId: 'v' }),
          said('7', 'tool:complete', {
            ...{ toolName: 'wget', result: { error: 'denied', code: 'denied' }, duration: 0, toolCallId: 'v' },
          }),
          said('8', 'phase:complete', { phaseId: 'x', phaseName: 'Unplanned', error: 'It broke' }),
          said('9.1', 'phase:start', { phaseId: 'unheard', phaseName: 'unheard', phaseIndex: 2 }),
          said('9', 'phase:complete', { phaseId: 'unheard', phaseName: 'unheard', error: 'It broke' }),
          said('10', 'execution:error', { error: 'It broke', code: 'broken', stack: 'at x' }),
        ],
      },
      {
        name: 'a cancel in the middle of a call',
        events: [
          started,
          ['step.started', { stepId: 's', name: 'Wait', index: 4 }],
          ['tool.called', { toolCallId: 't', name: 'wait', args: 1 }],
          ['run.cancelled', { reason: 'Enough', by: 'ada' }],
        ],
        frames: [
          begun('Create a landing page'),
          said('2', 'phase:start', { phaseId: 's', phaseName: 'Wait', phaseIndex: 4 }),
          said('3', 'tool:start', { toolName: 'wait', params: 1, toolCallId: 't' }),
          said('4.1', 'tool:complete', {
            ...{
              toolName: 'wait',
              result: { error: 'interrupted', code: 'interrupted' },
              duration: 0,
              toolCallId: 't',
            },
          }),
          said('4.2', 'phase:complete', { phaseId: 's', phaseName: 'Wait', error: 'interrupted' }),
          said('4', 'execution:error', { error: 'cancelled', code: 'cancelled', stack: '', reason: 'Enough' }),
        ],
      },
      {
        name: 'a run without an output, whose usage is stated as a whole, and that was given no task',
        events: [
          ['run.started', { agent: 'builder' }],
          ['llm.completed', { callId: 'c', usage: { totalTokens: 30 } }],
          ['message.delta', { messageId: 'm', delta: 'All ' }],
          ['message.delta', { messageId: 'm', delta: 'of it.' }],
          ['message.completed', { messageId: 'm' }],
          ['run.completed', { usage: { totalTokens: 31 } }],
        ],
        frames: [begun(''), said('6', 'execution:complete', { result: 'All of it.', duration: 0, tokensUsed: 31 })],
      },
      {
        name: 'a failure of which nobody kept the stack',
        events: [started, ['step.started', { stepId: 's', name: 'Open' }], ['run.failed', { error }]],
        frames: [
          begun('Create a landing page'),
          said('2', 'phase:start', { phaseId: 's', phaseName: 'Open', phaseIndex: 0 }),
          said('3.1', 'phase:complete', { phaseId: 's', phaseName: 'Open', error: 'interrupted' }),
          said('3', 'execution:error', { error: 'It broke', code: 'broken', stack: '' }),
        ],
      },
      {
        name: 'a run that ends well and left a call open',
        events: [
          started,
          ['tool.called', { toolCallId: 't', name: 'wait', args: {} }],
          ['run.completed', { output: 1 }],
        ],
        frames: [
          begun('Create a landing page'),
          said('2', 'tool:start', { toolName: 'wait', params: {}, toolCallId: 't' }),
          said('3.1', 'tool:complete', {
            ...{
              toolName: 'wait',
              result: { error: 'interrupted', code: 'interrupted' },
              duration: 0,
              toolCallId: 't',
            },
          }),
          said('3', 'execution:complete', { result: 1, duration: 0, tokensUsed: 0 }),
        ],
      },
      {
        name: 'a run that waits for its turn and is cancelled then: it begins directly before its end',
        events: [
          ['run.queued', { agent: 'builder', input: 'Build', position: 2 }],
          ['run.queued', { agent: 'builder', position: 1 }],
          ['run.cancelled', {}],
        ],
        frames: [
          said('3.1', 'execution:started', { task: 'Build', startedAt: AT }),
          said('3', 'execution:error', { error: 'cancelled', code: 'cancelled', stack: '' }),
        ],
      },
      {
        name: 'a run of which the log no longer has the beginning',
        events: [
          ['reasoning.completed', { reasoningId: 'a', text: 'So.' }],
          ['run.completed', {}],
        ],
        frames: [
          said('1.1', 'execution:started', { task: '', startedAt: AT, truncated: true }),
          said('1', 'thinking', { thought: 'So.', iteration: 1 }),
          said('2', 'execution:complete', { duration: 0, tokensUsed: 0 }),
        ],
      },
    ],
  });

  it('speaks of its stream by the id that its client wrote, and only of what its client can use', () => {
    const words = execution('R-1').words!({ threadId: 't1', runId: 'r1' });
    expect(words.bye('deleted')).toBe(
      'event: execution:error\ndata: {"executionId":"R-1","error":"deleted","code":"run_deleted","stack":""}\n\n',
    );
    expect(words.bye('ended')).toBe('');
    expect(words.heartbeat({ latest: 'e1.1', count: 1, time: AT })).toBe(': heartbeat\n\n');
  });
});
