/** A run in which everything happens, and some things happen twice, at once, out of turn or not at all. */
import { eventData } from '../../protocol/index.ts';
import type { DialectDraft } from './kit.ts';

const agent = { id: 'a1', name: 'Analyst "é"\n', path: 'a1' };
const other = { id: 'a2', name: 'Reader', path: 'a1/a2' };
const by = { agent };
const and = { agent: other };
const error = { code: 'broken', message: 'It\nbroke', retryable: true };
const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const cost = { amount: 0.1, currency: 'EUR', source: 'provider' };
const steps = [
  { id: 's1', name: 'one' },
  { id: 's2', name: 'two' },
];

export const SCENARIO: readonly DialectDraft[] = [
  ['run.queued', { agent: 'top', input: 'Why?' }],
  ['run.started', { agent: 'top', input: 'Why?', metadata: { by: 'ada' } }],
  ['plan.created', { goal: 'g', steps }],
  ['plan.updated', { goal: 'h', steps }],
  ['agent.started', { input: 1, model: 'm' }, by],
  ['step.started', { stepId: 's1', name: 'one', index: 0 }, by],
  ['agent.started', {}, and],
  ['reasoning.started', { reasoningId: 'r' }, by],
  ['reasoning.delta', { reasoningId: 'r', delta: 'so ' }, by],
  ['reasoning.delta', { reasoningId: 'r', delta: 'other' }, and],
  ['reasoning.delta', { reasoningId: 'r', delta: 'it is\n\u2028' }, by],
  ['reasoning.completed', { reasoningId: 'r', durationMs: 1 }, by],
  ['reasoning.completed', { reasoningId: 'r2', text: 'whole' }, by],
  ['llm.started', { callId: 'c', model: 'm', provider: 'p', estimatedCost: cost }, by],
  ['llm.started', { callId: 'c', model: 'n' }, and],
  ['llm.completed', { callId: 'c', usage, cost, durationMs: 1 }, by],
  ['llm.failed', { callId: 'c', error }, and],
  ['llm.completed', { callId: 'unheard' }, by],
  ['tool.started', { toolCallId: 't', name: 'read' }, by],
  ['tool.started', { toolCallId: 't', name: 'write' }, and],
  ['tool.args.delta', { toolCallId: 't', delta: '{"path":' }, by],
  ['tool.args.delta', { toolCallId: 't', delta: '"x"}' }, by],
  ['tool.called', { toolCallId: 't', name: 'read', args: { path: 'x' } }, by],
  ['tool.progress', { toolCallId: 't', progress: 0.5, message: 'half' }, by],
  ['tool.completed', { toolCallId: 't', result: ['é', null], durationMs: 2 }, by],
  ['tool.failed', { toolCallId: 't', error }, and],
  ['tool.called', { toolCallId: 'u', name: 'rm', args: {} }, by],
  ['tool.denied', { toolCallId: 'u', reason: 'no' }, by],
  ['tool.denied', { toolCallId: 'v', name: 'curl' }, by],
  ['approval.requested', { approvalId: 'a', prompt: 'May I?', options: ['yes', 'no'] }, by],
  ['approval.resolved', { approvalId: 'a', decision: 'yes', by: 'ada', comment: 'ok' }, by],
  ['approval.requested', { approvalId: 'b', prompt: 'And?', toolCallId: 't' }, by],
  ['approval.expired', { approvalId: 'b' }, by],
  ['approval.expired', { approvalId: 'unheard' }, by],
  ['input.received', { input: 'x', inputId: 'i', by: 'ada' }],
  ['step.completed', { stepId: 's1', result: 1, durationMs: 2 }, by],
  ['step.started', { stepId: 's2', name: 'two' }, by],
  ['step.failed', { stepId: 's2', error }, by],
  ['step.failed', { stepId: 'unheard', error }, by],
  ['progress.updated', { progress: 0.5, message: 'half' }],
  ['status.updated', { status: 'busy', message: 'very' }, by],
  ['activity.reported', { action: 'Reading', status: 'in-progress', details: 'a.pdf' }, by],
  ['activity.reported', { action: 'Reading', status: 'completed' }, by],
  ['usage.updated', { usage, cost }],
  ['budget.set', { maxCost: 1, warnAt: 0.8, currency: 'EUR' }],
  ['budget.warning', { limit: 'cost', used: 0.8, max: 1 }],
  ['budget.exceeded', { limit: 'cost', used: 1.1, max: 1, decision: 'stop' }],
  ['run.paused', { reason: 'lunch', by: 'ada' }],
  ['run.resumed', { by: 'ada' }],
  ['state.snapshot', { state: { a: 1 } }],
  ['state.patched', { patch: [{ op: 'add', path: '/b', value: 2 }] }],
  ['artifact.added', { artifactId: 'f', name: 'f.txt', mediaType: 'text/plain', content: 'x' }],
  ['source.added', { sourceId: 's', title: 't' }],
  ['error.reported', { error }],
  ['custom', { name: 'n', value: { deep: [1] } }],
  ['agent.failed', { error, durationMs: 1 }, and],
  ['message.completed', { messageId: 'u', role: 'user', text: 'Why?' }],
  ['message.started', { messageId: 'm', role: 'assistant' }, by],
  ['message.delta', { messageId: 'm', delta: 'Because ' }, by],
  ['message.delta', { messageId: 'm', delta: 'it is \ud83d' }, by],
  ['message.delta', { messageId: 'm', delta: '\ude00 so.' }, by],
  ['message.completed', { messageId: 'm' }, by],
  ['message.completed', { messageId: 'w', text: 'All of it.' }, by],
  ['control.requested', { command: 'pause', commandId: 'p', by: 'ada' }],
  ['control.overdue', { commandId: 'p' }],
  ['control.refused', { commandId: 'p', error }],
  ['tool.called', { toolCallId: 'open', name: 'wait', args: 1 }, by],
  ['llm.started', { callId: 'open', model: 'm' }, by],
  ['step.started', { stepId: 'open', name: 'open' }, by],
  ['message.delta', { messageId: 'open', delta: 'cut' }, by],
  ['agent.completed', { output: 'o', durationMs: 1 }, by],
  ['agent.started', {}, { agent: { id: 'a3', name: 'Late', path: 'a3' } }],
];

/** The three ways to end it. */
export const ENDS: readonly DialectDraft[] = [
  ['run.completed', { output: 'Done', usage, cost, durationMs: 9 }],
  ['run.failed', { error: { ...error, stack: 'at x' }, usage, durationMs: 9 }],
  ['run.cancelled', { reason: 'Enough', by: 'ada', durationMs: 9 }],
];

/** Known types that the scenario does not have: none, or a new type escapes every dialect's cases. */
export const missingTypes = (): readonly string[] => {
  const there = new Set([...SCENARIO, ...ENDS].map(([type]) => type));
  return Object.keys(eventData).filter((type) => !there.has(type));
};
