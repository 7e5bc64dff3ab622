import { describe, expect, it } from 'vitest';
import type { AgentRef, Cost, EventData, EventType, TelltaleEvent, Usage } from './event.ts';
import { reduce, reduceAll } from './reduce.ts';
import { emptySnapshot, type RunSnapshot } from './snapshot.ts';

type Said = [type: string, data: Record<string, unknown>, agent?: AgentRef];

const said = <T extends EventType>(type: T, data: EventData<T>, agent?: AgentRef): Said =>
  agent ? [type, data, agent] : [type, data];
const time = (seq: number): string => new Date(Date.UTC(2026, 10, 20, 18, 0, seq)).toISOString();
const ref = (id: string, path = id): AgentRef => ({ id, name: id.toUpperCase(), path });

function events(list: Said[], runId = 'r1', from = 1): TelltaleEvent[] {
  return list.map(([type, data, agent], i) => {
    const seq = from + i;
    return {
      seq,
      epoch: 'e',
      threadId: 't',
      runId,
      type,
      time: time(seq),
      ...(agent && { agent }),
      data,
    } as TelltaleEvent;
  });
}

const fold = (...list: Said[]): RunSnapshot => reduceAll(emptySnapshot('r1'), events(list));

const START = said('run.started', { agent: 'triage', mode: 'local', input: { q: 1 }, metadata: { k: 'v' } });

describe('P3: the fold of a run', () => {
  it('is its bracket: who, what, when, how it ended and what came out', () => {
    const queued = fold(said('run.queued', { agent: 'triage' }));
    expect(queued).toMatchObject({
      status: 'queued',
      agent: 'triage',
      queuedAt: time(1),
      seq: 1,
      epoch: 'e',
      events: 1,
    });
    const done = fold(START, said('run.completed', { output: null, durationMs: 5 }));
    expect(done).toMatchObject({
      status: 'completed',
      mode: 'local',
      input: { q: 1 },
      metadata: { k: 'v' },
      threadId: 't',
    });
    expect(done).toMatchObject({ startedAt: time(1), endedAt: time(2), output: null, durationMs: 5 });
    const error = { code: 'agent_failed', message: 'no' };
    expect(fold(START, said('run.failed', { error }))).toMatchObject({
      status: 'failed',
      error,
      errors: [{ ...error, seq: 2 }],
    });
    expect(fold(START, said('run.paused', {})).status).toBe('paused');
    expect(fold(START, said('run.paused', {}), said('run.resumed', {})).status).toBe('running');
    expect(fold(START, said('run.cancelled', {})).status).toBe('cancelled');
  });

  it('1. takes nothing of another run, and nothing twice', () => {
    const one = fold(START, said('message.delta', { messageId: 'm', delta: 'a' }));
    const other = events([said('message.delta', { messageId: 'm', delta: 'X' })], 'r2', 3)[0]!;
    expect(reduce(one, other)).toBe(one);
    for (const again of events([START, said('message.delta', { messageId: 'm', delta: 'a' })])) {
      expect(reduce(one, again)).toBe(one);
    }
    // Numbers of other runs lie in between.
    const [later] = events([said('message.delta', { messageId: 'm', delta: 'b' })], 'r1', 9);
    expect(reduce(one, later!)).toMatchObject({ seq: 9, events: 3, messages: [{ text: 'ab', startSeq: 2 }] });
  });

  it('2. opens on a delta what was not started, and lets a whole text replace what was streamed', () => {
    const s = fold(
      START,
      said('reasoning.delta', { reasoningId: 'r', delta: 'hm' }),
      said('message.delta', { messageId: 'm', delta: 'Hel' }),
      said('message.delta', { messageId: 'm', delta: 'lo' }),
      said('tool.args.delta', { toolCallId: 't', delta: '{"a":' }),
      said('message.completed', { messageId: 'm' }),
      said('reasoning.completed', { reasoningId: 'r', text: 'Hm, whole.', durationMs: 3 }),
      said('message.completed', { messageId: 'n', role: 'user', text: 'at once' }),
    );
    expect(s.messages).toMatchObject([
      { id: 'm', text: 'Hello', role: 'assistant', status: 'completed', startSeq: 3, endSeq: 6, endedAt: time(6) },
      { id: 'n', text: 'at once', role: 'user', status: 'completed', startSeq: 8, endSeq: 8 },
    ]);
    expect(s.reasoning).toMatchObject([{ id: 'r', text: 'Hm, whole.', status: 'completed', durationMs: 3 }]);
    expect(s.tools).toMatchObject([{ id: 't', argsText: '{"a":', status: 'running', startSeq: 5 }]);
  });

  it('3. knows calls, texts and tools by agent and id', () => {
    const [a, b] = [ref('a'), ref('b')];
    const s = fold(
      START,
      said('tool.called', { toolCallId: 't', name: 'read', args: 1 }, a),
      said('tool.called', { toolCallId: 't', name: 'read', args: 2 }, b),
      said('tool.called', { toolCallId: 't', name: 'read', args: 3 }),
      said('tool.completed', { toolCallId: 't', result: 'b' }, b),
      said('message.delta', { messageId: 'm', delta: 'a' }, a),
      said('message.delta', { messageId: 'm', delta: 'b' }, b),
      said('llm.started', { callId: 'c', model: 'm' }, a),
      said('llm.failed', { callId: 'c', error: { code: 'x', message: '' } }, b),
    );
    expect(s.tools.map(({ agentId, status, args }) => [agentId, status, args])).toEqual([
      ['a', 'running', 1],
      ['b', 'completed', 2],
      [undefined, 'running', 3],
    ]);
    expect(s.messages.map(({ agentId, text }) => [agentId, text])).toEqual([
      ['a', 'a'],
      ['b', 'b'],
    ]);
    expect(s.llmCalls.map(({ agentId, status }) => [agentId, status])).toEqual([
      ['a', 'running'],
      ['b', 'failed'],
    ]);
  });

  it('4. is closed by a terminal event: the open is interrupted, approvals expire, commands are void', () => {
    const a = ref('a');
    const s = fold(
      START,
      said('plan.created', {
        steps: [
          { id: '1', name: 'one' },
          { id: '2', name: 'two' },
        ],
      }),
      said('step.started', { stepId: '1', name: 'one' }),
      said('agent.started', {}, a),
      said('message.delta', { messageId: 'm', delta: '' }),
      said('reasoning.started', { reasoningId: 'r' }),
      said('tool.started', { toolCallId: 't', name: 'x' }, a),
      said('tool.denied', { toolCallId: 'd', reason: 'no' }),
      said('llm.started', { callId: 'c', model: 'm' }),
      said('approval.requested', { approvalId: 'p', prompt: '?' }),
      said('control.requested', { command: 'pause', commandId: 'k' }),
      said('run.completed', {}),
    );
    const end = { status: 'interrupted', endSeq: 12, endedAt: time(12) };
    expect(s.steps).toMatchObject([end, { id: '2', status: 'pending' }]);
    expect([s.agents, s.messages, s.reasoning, s.llmCalls]).toMatchObject([[end], [end], [end], [end]]);
    expect(s.tools).toMatchObject([end, { status: 'denied', reason: 'no', endSeq: 8 }]);
    expect(s.approvals).toMatchObject([{ status: 'expired' }]);
    expect(s.commands).toMatchObject([{ status: 'void' }]);
  });

  it('5. sums usage and cost of model calls, until a total is stated in their place', () => {
    const call = (callId: string, usage?: Usage, cost?: Cost) =>
      said('llm.completed', { callId, ...(usage && { usage }), ...(cost && { cost }) });
    const eur = (amount: number) => ({ amount, currency: 'EUR', source: 'prices' });
    const calls = [
      START,
      call('1', { inputTokens: 10, totalTokens: 12, cachedInputTokens: 8 }, eur(0.5)),
      call('2'),
      call('3', { inputTokens: 5, outputTokens: 1 }, eur(0.25)),
      call('4', undefined, { amount: 9, currency: 'USD', source: 'prices' }),
    ];
    // Absent is not zero: nobody has told of reasoning tokens.
    const usage = { inputTokens: 15, totalTokens: 12, cachedInputTokens: 8, outputTokens: 1 };
    expect(fold(...calls)).toMatchObject({ usage, cost: eur(0.75) });
    expect(fold(...calls).usage).toEqual(usage);
    expect(fold(START)).not.toHaveProperty('usage');
    const stated = fold(...calls, said('usage.updated', { usage: { inputTokens: 100 } }));
    expect([stated.usage, stated.cost?.amount]).toEqual([{ inputTokens: 100 }, 0.75]);
    const ended = fold(...calls, said('run.completed', { usage: { totalTokens: 7 }, cost: eur(3) }));
    expect([ended.usage, ended.cost]).toEqual([{ totalTokens: 7 }, eur(3)]);
  });

  it('6. keeps the first answer to an approval, also when it is asked again', () => {
    const ask = said('approval.requested', { approvalId: 'p', prompt: '?', options: ['yes', 'no'], toolCallId: 't' });
    const s = fold(
      START,
      said('approval.resolved', { approvalId: 'p', decision: 'too early' }),
      ask,
      said('approval.resolved', { approvalId: 'p', decision: 'no', by: 'ann' }),
      said('approval.resolved', { approvalId: 'p', decision: 'yes', by: 'bob' }),
      said('approval.expired', { approvalId: 'p' }),
      ask,
      said('approval.resolved', { approvalId: 'p', decision: 'yes', by: 'bob' }),
    );
    expect(s.approvals).toEqual([
      {
        id: 'p',
        askedAt: time(3),
        prompt: '?',
        options: ['yes', 'no'],
        toolCallId: 't',
        seq: 3,
        status: 'resolved',
        decision: 'no',
        by: 'ann',
        endSeq: 4,
        endedAt: time(4),
      },
    ]);
  });

  it('4. gives every command one outcome: applied, refused or void; overdue is none', () => {
    const ask = (commandId: string, command: 'cancel' | 'pause' | 'resume') =>
      said('control.requested', { commandId, command, by: 'ann', reason: 'r' });
    const error = { code: 'command_refused', message: 'It is not paused.' };
    const s = fold(
      START,
      ask('p', 'pause'),
      said('control.overdue', { commandId: 'p' }),
      ask('r', 'resume'),
      said('control.refused', { commandId: 'r', error }),
      said('run.resumed', { commandId: 'r' }),
      ask('late', 'pause'),
      said('control.overdue', { commandId: 'late' }),
      said('run.paused', { commandId: 'p' }),
      said('control.refused', { commandId: 'p', error }),
      said('run.completed', {}),
    );
    expect(s.commands.map(({ id, status, endSeq, endedAt }) => [id, status, endSeq, endedAt])).toEqual([
      ['p', 'applied', 9, time(9)],
      ['r', 'refused', 5, time(5)],
      ['late', 'void', 11, time(11)],
    ]);
    expect(s.commands).toMatchObject([{ by: 'ann', reason: 'r' }, { error }, {}]);
  });

  it('tells the place in the queue as long as the run waits there', () => {
    const queued = (position: number) => said('run.queued', { agent: 'a', position });
    const waiting = fold(queued(2), queued(1));
    expect([waiting.position, waiting.status]).toEqual([1, 'queued']);
    expect(waiting.queuedAt).toBe(fold(queued(2)).queuedAt);
    expect(fold(queued(1), said('run.started', { agent: 'a' }))).not.toHaveProperty('position');
    expect(fold(queued(1), said('run.cancelled', {}))).not.toHaveProperty('position');
  });

  it('6. leaves the state as it was where a patch does not apply, and tells', () => {
    const s = fold(
      START,
      said('state.snapshot', { state: { n: 1, list: [] } }),
      said('state.patched', { patch: [{ op: 'replace', path: '/n', value: 2 }] }),
      said('state.patched', {
        patch: [
          { op: 'remove', path: '/n' },
          { op: 'remove', path: '/none' },
        ],
      }),
    );
    expect(s.state).toEqual({ n: 2, list: [] });
    expect(s.errors).toMatchObject([{ code: 'patch_failed', seq: 4 }]);
  });

  it('follows the plan: steps keep their ids, begin anew clean, and an unplanned one joins', () => {
    const error = { code: 'x', message: 'first try' };
    const s = fold(
      START,
      said('plan.created', {
        goal: 'g',
        steps: [
          { id: '1', name: 'one' },
          { id: '2', name: 'two' },
        ],
      }),
      said('step.started', { stepId: '1', name: 'one', index: 0 }),
      said('step.failed', { stepId: '1', error, durationMs: 1 }),
      said('step.started', { stepId: '1', name: 'one again' }),
      said('plan.updated', {
        steps: [
          { id: '2', name: 'second' },
          { id: '1', name: 'one' },
          { id: '3', name: 'three' },
        ],
      }),
      said('step.completed', { stepId: 'x', result: 1 }),
    );
    expect(s.plan).toEqual({ goal: 'g', stepIds: ['2', '1', '3'] });
    expect(s.steps).toEqual([
      { id: '1', name: 'one', status: 'running', startSeq: 5, startedAt: time(5) },
      { id: '2', name: 'second', status: 'pending' },
      { id: '3', name: 'three', status: 'pending' },
      {
        id: 'x',
        name: 'x',
        status: 'completed',
        startSeq: 7,
        startedAt: time(7),
        endSeq: 7,
        endedAt: time(7),
        result: 1,
      },
    ]);
    expect(s.errors).toMatchObject([error]);
  });

  it('knows who invoked whom, and what each brought', () => {
    const child = ref('b-1', 'a-1/b-1');
    const s = fold(
      START,
      said('agent.started', { model: 'm', input: 1 }, ref('a-1')),
      said('agent.started', {}, child),
      said('agent.completed', { output: 'o', durationMs: 2 }, child),
      said('agent.failed', { error: { code: 'x', message: '' } }, ref('a-1')),
      said('agent.failed', { error: { code: 'y', message: '' } }),
    );
    expect(s.agents).toMatchObject([
      { id: 'a-1', name: 'A-1', status: 'failed', model: 'm', input: 1, error: { code: 'x' } },
      { id: 'b-1', parentId: 'a-1', status: 'completed', output: 'o', durationMs: 2 },
    ]);
    expect(s.agents[0]).not.toHaveProperty('agentId');
    expect(s.errors).toMatchObject([
      { code: 'x', agentId: 'a-1', seq: 5 },
      { code: 'y', seq: 6 },
    ]);
  });

  it('marks commands applied by what answers them: the one named, else all of the kind', () => {
    const ask = (command: 'cancel' | 'pause' | 'resume', commandId: string) =>
      said('control.requested', { command, commandId });
    const statuses = (s: RunSnapshot) => s.commands.map(({ id, status }) => `${id} ${status}`);
    const asked = [START, ask('pause', '1'), ask('pause', '2'), ask('cancel', '3'), ask('cancel', '3')];
    expect(statuses(fold(...asked, said('run.paused', { commandId: '2' })))).toEqual([
      '1 requested',
      '2 applied',
      '3 requested',
    ]);
    expect(fold(...asked).commands[0]).toEqual({
      id: '1',
      command: 'pause',
      status: 'requested',
      seq: 2,
      askedAt: time(2),
    });
    expect(statuses(fold(...asked, said('run.paused', {})))).toEqual(['1 applied', '2 applied', '3 requested']);
    expect(statuses(fold(...asked, said('run.cancelled', {})))).toEqual(['1 void', '2 void', '3 applied']);
  });

  it('keeps budgets, inputs, artifacts, sources, activities, status and progress as last told', () => {
    const s = fold(
      START,
      // A field of the producer's own must not pass for the fold's.
      said('budget.set', { maxCost: 1, currency: 'EUR', warnings: 5 } as never),
      said('budget.warning', { limit: 'cost', used: 0.8, max: 1 }),
      said('budget.exceeded', { limit: 'cost', used: 1.1, max: 1 }),
      said('input.received', { input: 'go on' }),
      said('artifact.added', { artifactId: 'a', name: 'v1' }),
      said('artifact.added', { artifactId: 'a', name: 'v2' }),
      said('source.added', { sourceId: 's', title: 'S' }),
      said('activity.reported', { action: 'reads', status: 'running' }, ref('a')),
      said('status.updated', { status: 'busy' }),
      said('status.updated', { status: 'busy', message: 'Reading' }),
      said('progress.updated', { progress: 0.5 }),
      said('tool.progress', { toolCallId: 't', progress: 0.1 }),
      said('error.reported', { error: { code: 'x', message: 'not the end' } }),
      ['your.own', { any: 'thing' }],
    );
    expect(s).toMatchObject({
      status: 'running',
      budget: { maxCost: 1, warnings: [{ used: 0.8 }], exceeded: { used: 1.1 } },
      inputs: [{ input: 'go on', seq: 5, receivedAt: time(5) }],
      artifacts: [{ artifactId: 'a', name: 'v2' }],
      sources: [{ sourceId: 's' }],
      activities: [{ action: 'reads', agentId: 'a', seq: 9 }],
      statusText: 'Reading',
      progress: { progress: 0.5 },
      tools: [{ id: 't', progress: { progress: 0.1 } }],
      errors: [{ code: 'x' }],
      seq: 15,
      events: 15,
    });
  });
});
