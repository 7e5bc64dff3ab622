import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TelltaleError } from './errors.ts';
import { type EventType, eventData, eventJsonSchemas, isKnown, parseDraft, type TelltaleEvent } from './event.ts';

const error = { code: 'x', message: 'went wrong' };
const usage = { inputTokens: 10, outputTokens: 2, totalTokens: 12, cachedInputTokens: 4, reasoningTokens: 1 };
const cost = { amount: 0.02, currency: 'EUR', source: 'provider' };
const operation = { op: 'add', path: '/a~1b/-', value: null };

/** For every type: data with all that PROTOCOL.md section 3 lists, and one that must be refused. */
const TABLE: Record<EventType, [accepted: Record<string, unknown>, refused: Record<string, unknown>]> = {
  'run.queued': [{ agent: 'a', mode: 'remote', input: null, metadata: { k: [1] }, position: 0 }, { agent: '' }],
  'run.started': [
    { agent: 'a', mode: 'local', input: 'hi', metadata: {} },
    { agent: 'a', mode: 'other' },
  ],
  'run.completed': [{ output: { answer: 42 }, usage, cost, durationMs: 1.5 }, { durationMs: -1 }],
  'run.failed': [{ error: { ...error, retryable: true, stack: 'at x' }, usage, durationMs: 0 }, { error: 'text' }],
  'run.cancelled': [{ reason: 'r', by: 'ann', commandId: 'c', durationMs: 1 }, { by: 7 }],
  'run.paused': [{ reason: 'r', by: 'ann', commandId: 'c' }, { commandId: '' }],
  'run.resumed': [{ by: 'ann', commandId: 'c' }, { by: '' }],
  'plan.created': [{ goal: 'g', steps: [{ id: '1', name: 'one', status: 'pending' }] }, { goal: 'g' }],
  'plan.updated': [{ steps: [] }, { steps: [{ id: '1' }] }],
  'step.started': [
    { stepId: '1', name: 'one', index: 0 },
    { stepId: '1', name: 'one', index: 1.5 },
  ],
  'step.completed': [{ stepId: '1', result: false, durationMs: 1 }, { result: 1 }],
  'step.failed': [{ stepId: '1', error, durationMs: 1 }, { stepId: '1' }],
  'progress.updated': [{ progress: 1, message: '', stepId: '1' }, { progress: 50 }],
  'agent.started': [{ input: {}, model: 'm' }, { model: 1 }],
  'agent.completed': [{ output: null, usage, durationMs: 1 }, { usage: { inputTokens: -1 } }],
  'agent.failed': [{ error, durationMs: 1 }, {}],
  'activity.reported': [{ action: 'reads', status: 'running', details: { path: 'x' } }, { action: 'reads' }],
  'status.updated': [{ status: 'busy', message: 'm' }, { message: 'm' }],
  'llm.started': [{ callId: 'c', model: 'm', provider: 'p', estimatedCost: cost }, { callId: 'c' }],
  'llm.completed': [
    { callId: 'c', model: 'm', provider: 'p', usage, cost, durationMs: 1 },
    { callId: 'c', cost: { amount: 1, currency: 'euro', source: 's' } },
  ],
  'llm.failed': [
    { callId: 'c', error, durationMs: 1 },
    { callId: 'c', error: { code: 'x' } },
  ],
  'reasoning.started': [{ reasoningId: 'r' }, {}],
  'reasoning.delta': [{ reasoningId: 'r', delta: '' }, { reasoningId: 'r' }],
  'reasoning.completed': [
    { reasoningId: 'r', text: 't', durationMs: 1 },
    { reasoningId: 'r', text: 1 },
  ],
  'message.started': [
    { messageId: 'm', role: 'assistant' },
    { messageId: 'm', role: 'robot' },
  ],
  'message.delta': [
    { messageId: 'm', delta: '🙂' },
    { messageId: 'm', delta: ['x'] },
  ],
  'message.completed': [{ messageId: 'm', role: 'user', text: 't' }, { messageId: 'x'.repeat(257) }],
  'tool.started': [{ toolCallId: 't', name: 'read' }, { toolCallId: 't' }],
  'tool.args.delta': [{ toolCallId: 't', delta: '{"a"' }, { toolCallId: 't' }],
  'tool.called': [
    { toolCallId: 't', name: 'read', args: [] },
    { toolCallId: 't', name: 'read' },
  ],
  'tool.progress': [
    { toolCallId: 't', progress: 0, message: 'm', partial: 1 },
    { toolCallId: 't', progress: 2 },
  ],
  'tool.completed': [{ toolCallId: 't', name: 'read', result: null, durationMs: 1 }, { toolCallId: 5 }],
  'tool.failed': [{ toolCallId: 't', name: 'read', error, durationMs: 1 }, { toolCallId: 't' }],
  'tool.denied': [{ toolCallId: 't', name: 'read', reason: 'no' }, { reason: 'no' }],
  'approval.requested': [
    { approvalId: 'a', prompt: 'ok?', toolCallId: 't', options: ['yes', 'no'], expiresAt: '2026-11-20T18:00:00+01:00' },
    { approvalId: 'a', prompt: 'ok?', expiresAt: 'tomorrow' },
  ],
  'approval.resolved': [{ approvalId: 'a', decision: 'yes', by: 'ann', comment: 'c' }, { approvalId: 'a' }],
  'approval.expired': [{ approvalId: 'a' }, { approvalId: '' }],
  'input.received': [{ inputId: 'i', input: 0, by: 'ann' }, { by: 'ann' }],
  'usage.updated': [{ usage, cost }, { usage: { totalTokens: 1.5 } }],
  'budget.set': [{ maxCost: 1.5, maxTokens: 10, maxToolCalls: 0, warnAt: 0.8, currency: 'EUR' }, { warnAt: 80 }],
  'budget.warning': [
    { limit: 'cost', used: 0.8, max: 1 },
    { limit: 'time', used: 1, max: 1 },
  ],
  'budget.exceeded': [
    { limit: 'tokens', used: 11, max: 10, decision: 'stop' },
    { limit: 'tokens', used: 11 },
  ],
  'control.requested': [
    { command: 'cancel', commandId: 'c', by: 'ann', reason: 'r' },
    { command: 'kill', commandId: 'c' },
  ],
  'control.refused': [
    { commandId: 'c', error: { code: 'command_refused', message: 'It is paused.' } },
    { commandId: 'c' },
  ],
  'control.overdue': [{ commandId: 'c' }, {}],
  'state.snapshot': [{ state: null }, {}],
  'state.patched': [
    { patch: [operation, { op: 'move', from: '/a', path: '' }] },
    { patch: [{ op: 'add', path: 'a', value: 1 }] },
  ],
  'artifact.added': [
    { artifactId: 'a', name: 'n', mediaType: 'text/plain', url: 'u', content: 'c' },
    { artifactId: 'a' },
  ],
  'source.added': [
    { sourceId: 's', title: 't', url: 'u', path: 'p', line: 1, quote: 'q' },
    { sourceId: 's', line: 0 },
  ],
  'error.reported': [{ error }, { error: null }],
  custom: [{ name: 'n', value: false }, { name: 'n' }],
};

/** Fields that hold any JSON value. */
const ANYTHING = ['input', 'output', 'result', 'details', 'partial', 'content', 'args', 'value', 'state'];

const refused = (input: unknown): TelltaleError => {
  try {
    parseDraft(input);
  } catch (error) {
    if (error instanceof TelltaleError) return error;
    throw error;
  }
  throw new Error(`accepted: ${JSON.stringify(input)}`);
};

describe('P3: every event type', () => {
  it('is in the table', () => {
    expect(Object.keys(TABLE).sort()).toEqual(Object.keys(eventData).sort());
  });

  const schemas = eventJsonSchemas();

  it.each(Object.entries(TABLE))('%s is taken as it was sent, and refused when malformed', (type, [good, bad]) => {
    const draft = { type, data: { ...good, ofYours: { kept: [1] } } };
    expect(parseDraft(draft)).toEqual(draft);
    const error = refused({ type, data: bad });
    expect(error.code).toBe('invalid_event');
    expect(error.message).toContain(`event.data (${type})`);
    expect(isKnown({ type } as TelltaleEvent)).toBe(true);
  });

  it.each(Object.entries(TABLE))(
    '%s takes no null where something is optional, and needs what is not',
    (type, [good]) => {
      for (const field of Object.keys(good)) {
        const { [field]: _, ...without } = good;
        let optional = true;
        try {
          parseDraft({ type, data: without });
        } catch {
          optional = false;
        }
        // Any JSON value may be null; nothing else may, be it optional or not.
        if (!ANYTHING.includes(field))
          expect(refused({ type, data: { ...good, [field]: null } }).code).toBe('invalid_event');
        const listed = (schemas[type as EventType] as { required?: string[] }).required ?? [];
        expect(listed.includes(field)).toBe(!optional);
      }
    },
  );

  it.each(Object.entries(TABLE))('%s has a JSON Schema that agrees with the example', (type, [good, bad]) => {
    const schema = schemas[type as EventType] as Parameters<typeof z.fromJSONSchema>[0];
    expect(schema).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object' });
    const published = z.fromJSONSchema(schema);
    expect(published.safeParse(good).success).toBe(true);
    expect(published.safeParse(bad).success).toBe(false);
  });
});

describe('P2: the draft of an event', () => {
  const draft = { type: 'custom', data: { name: 'n', value: 1 } };

  it('takes an agent and a trace, and nothing else beside', () => {
    const whole = {
      ...draft,
      agent: { id: 'a-1', name: 'A', path: 'root/a-1' },
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    };
    expect(parseDraft(whole)).toEqual(whole);
    for (const more of [
      { seq: 1 },
      { epoch: 'e' },
      { runId: 'r' },
      { time: 'now' },
      { agent: null },
      { agent: { id: 'a', name: 'A' } },
      { agent: { ...whole.agent, extra: 1 } },
      { traceparent: '00-xyz\n-1' },
      { data: null },
      { data: [] },
      { data: 'text' },
    ]) {
      expect(refused({ ...draft, ...more }).code, JSON.stringify(more)).toBe('invalid_event');
    }
  });

  it.each([null, undefined, 0, 'text', [], {}, { data: {} }, { type: 'custom' }])('is not %j', (input) => {
    expect(refused(input).code).toBe('invalid_event');
  });

  it.each([
    'stream.hello',
    'stream.',
    'STREAM.reset',
    'Stream.bye',
    'sTrEaM.x.y',
    'error',
    'open',
    'OPEN',
    'deltas.merged',
    'Deltas.Merged',
  ])('may not be of the reserved type %j', (type) => {
    expect(refused({ type, data: {} }).code).toBe('reserved_type');
  });

  it.each([
    ' stream.hello',
    'stream\u200b.hello',
    'ｓtream.hello',
    'ſtream.hello',
    '\tstream.x',
    'a\nb',
    'a\rb',
    'a\0b',
    '',
    '.',
    'a.',
    '.a',
    'a..b',
    'Upper.case',
    '9a',
    'é',
    '__proto__',
    `a${'.b'.repeat(40)}`,
    'x'.repeat(65),
    'a b',
    'a:b',
  ])('may not be of the type %j', (type) => {
    expect(refused({ type, data: {} }).code).toBe('invalid_event');
  });

  it.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'streams.x', 'my.type_of-own', 'x'.repeat(64)])(
    'may be of the unknown type %j, with any data',
    (type) => {
      const unknown = { type, data: { anything: [null, { deep: true }] } };
      expect(parseDraft(unknown)).toEqual(unknown);
      expect(isKnown(unknown as unknown as TelltaleEvent)).toBe(false);
    },
  );

  it('sets no prototype', () => {
    const input = JSON.parse(`{"type":"my.type","data":{"__proto__":{"polluted":1},"inner":{"__proto__":{"x":1}}}}`);
    const { data } = parseDraft(input);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect('polluted' in data).toBe(false);
    expect(Object.hasOwn(data, '__proto__')).toBe(false);
    expect('polluted' in {}).toBe(false);
  });
});
