import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { AgentRef, EventData, EventType, TelltaleEvent } from '../protocol/index.ts';
import { Screen } from './screen.ts';
import { Timeline } from './timeline.ts';

const researcher: AgentRef = { id: 'researcher-1', name: 'Researcher', path: 'triage-1/researcher-1' };
const error = { code: 'tool_failed', message: 'no such page' };

type Line = { [T in EventType]: readonly [type: T, data: EventData<T>, agent?: AgentRef] }[EventType];

function shown(lines: readonly Line[], runOf: (index: number) => string = () => 'r1'): string[] {
  let text = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const [screen, timeline] = [new Screen(out), new Timeline()];
  for (const [index, [type, data, agent]] of lines.entries()) {
    const base = { seq: index + 1, epoch: 'e1', threadId: 't1', runId: runOf(index), time: '2026-11-20T18:00:00.000Z' };
    const event = { ...base, type, data, ...(agent && { agent }) } as TelltaleEvent;
    for (const output of timeline.add(event)) screen.show(output);
    // Replayed events change nothing.
    expect(timeline.add(event)).toEqual([]);
  }
  return text.split('\n').slice(0, -1);
}

describe('a timeline', () => {
  test('tells a run: plan, agents, thinking, tools, answer, end', () => {
    const lines = shown([
      ['run.started', { agent: 'triage', input: { city: 'Bern' } }],
      [
        'plan.created',
        {
          goal: 'Find it',
          steps: [
            { id: 's1', name: 'Search' },
            { id: 's2', name: 'Tell' },
          ],
        },
      ],
      ['step.started', { stepId: 's1', name: 'Search', index: 0 }],
      ['agent.started', { model: 'sonnet' }, researcher],
      ['reasoning.delta', { reasoningId: 'n1', delta: 'Where to ' }, researcher],
      ['reasoning.delta', { reasoningId: 'n1', delta: 'look?' }, researcher],
      ['reasoning.completed', { reasoningId: 'n1' }, researcher],
      ['llm.started', { callId: 'l1', model: 'sonnet' }, researcher],
      [
        'llm.completed',
        {
          callId: 'l1',
          usage: { inputTokens: 9, outputTokens: 3 },
          cost: { amount: 0.01, currency: 'USD', source: 'provider' },
          durationMs: 1_200,
        },
        researcher,
      ],
      ['tool.started', { toolCallId: 'c1', name: 'search' }, researcher],
      ['tool.called', { toolCallId: 'c1', name: 'search', args: { q: 'Bern' } }, researcher],
      ['tool.progress', { toolCallId: 'c1', progress: 0.5, message: 'half way' }, researcher],
      ['tool.completed', { toolCallId: 'c1', result: ['a', 'b'], durationMs: 61_000 }, researcher],
      ['tool.started', { toolCallId: 'c2', name: 'fetch' }, researcher],
      ['tool.failed', { toolCallId: 'c2', error, durationMs: 0.2 }, researcher],
      ['tool.denied', { toolCallId: 'c3', name: 'delete', reason: 'read only' }, researcher],
      ['agent.completed', { durationMs: 20 }, researcher],
      ['step.completed', { stepId: 's1', durationMs: 480 }],
      ['message.delta', { messageId: 'm1', delta: 'It is\nin B' }],
      ['source.added', { sourceId: 'x' }],
      ['message.delta', { messageId: 'm1', delta: 'ern.' }],
      ['message.completed', { messageId: 'm1' }],
      ['run.completed', { output: 'It is\nin Bern.', durationMs: 2_000 }],
    ]);
    expect(lines).toEqual([
      '▶ triage started · run r1',
      '  {"city":"Bern"}',
      '  Plan: Find it',
      '  ○ Search',
      '  ○ Tell',
      '  ▸ 1/2 Search',
      '    Researcher ▶ started · sonnet',
      '    Researcher thinking: Where to look?',
      '    Researcher · asks sonnet',
      '    Researcher · sonnet answered 1.2 s · 12 tokens (9 in, 3 out) · 0.01 USD',
      '    Researcher → search {"q":"Bern"}',
      '    Researcher … search 50 % half way',
      '    Researcher ✓ search 1 min 01 s ["a","b"]',
      '    Researcher ✗ fetch <1 ms no such page (tool_failed)',
      '    Researcher ⊘ delete not allowed: read only',
      '    Researcher ✓ done 20 ms',
      '  ✓ 1/2 Search 480 ms',
      '',
      'triage says',
      'It is',
      'in Bern.',
      '',
      '✓ completed 2.0 s · 1 agent · 3 tool calls (1 failed) · 1 source · 12 tokens (9 in, 3 out) · 0.01 USD (provider) · 23 events',
    ]);
  });

  test('tells how far a run is that waits, and its input once', () => {
    const lines = shown([
      ['run.queued', { agent: 'triage', input: { city: 'Bern' }, position: 2 }],
      ['run.queued', { agent: 'triage', position: 1 }],
      ['run.queued', { agent: 'triage', position: 0 }],
      ['run.started', { agent: 'triage', input: { city: 'Bern' } }],
    ]);
    expect(lines).toEqual([
      '▶ triage queued · run r1',
      '  {"city":"Bern"}',
      '  … 2 runs before it',
      '  … 1 run before it',
      '  … next',
      '▶ triage started · run r1',
    ]);
  });

  test('tells which run an agent of a run is', () => {
    const lines = shown([
      ['run.started', { agent: 'triage' }],
      ['agent.started', { input: 'Bern', childRunId: 'r2' }, researcher],
    ]);
    expect(lines[1]).toBe('    Researcher ▶ started · run r2');
  });

  test('tells what people and limits do, and a failure', () => {
    const lines = shown([
      ['run.queued', { agent: 'triage' }],
      ['run.started', { agent: 'triage' }],
      ['approval.requested', { approvalId: 'a1', prompt: 'Pay 5?', options: ['yes', 'no'] }],
      ['approval.resolved', { approvalId: 'a1', decision: 'yes', by: 'Ada', comment: 'fine' }],
      ['budget.warning', { limit: 'cost', used: 8, max: 10 }],
      ['control.requested', { command: 'pause', commandId: 'p1', by: 'Ada' }],
      ['control.overdue', { commandId: 'p1' }],
      ['run.paused', { by: 'Ada', commandId: 'p1', reason: 'lunch' }],
      ['run.resumed', { by: 'Bo' }],
      ['control.requested', { command: 'resume', commandId: 'p2' }],
      ['control.refused', { commandId: 'p2', error: { code: 'command_refused', message: 'It is not paused.' } }],
      ['progress.updated', { progress: 0.25, message: 'a quarter' }],
      ['status.updated', { status: 'waiting' }],
      ['artifact.added', { artifactId: 'f1', name: 'report.pdf', mediaType: 'application/pdf' }],
      ['error.reported', { error }],
      ['custom', { name: 'weather', value: { sun: true } }],
      ['mine.own' as 'custom', { name: 'any', value: 1 }],
      ['run.failed', { error: { code: 'executor_lost', message: 'the process is gone' }, durationMs: 5 }],
    ]);
    expect(lines).toEqual([
      '▶ triage queued · run r1',
      '▶ triage started · run r1',
      '  ? Pay 5? yes / no',
      '  · yes by Ada: fine',
      '! budget warning: 8 of 10 (cost)',
      '! pause requested by Ada',
      '! pause not followed yet; it may still be',
      '‖ paused by Ada: lunch',
      '▶ resumed by Bo',
      '! resume requested',
      '! resume refused: It is not paused. (command_refused)',
      '  … 25 % a quarter',
      '  … waiting',
      '  + report.pdf application/pdf',
      '  ! no such page (tool_failed)',
      '  weather {"sun":true}',
      '  mine.own {"name":"any","value":1}',
      '✗ failed the process is gone (executor_lost)',
      ' 5 ms · 0 agents · 0 tool calls · 18 events',
    ]);
  });

  test('calls it a planner note where no model thinks, and keeps runs of one thread apart', () => {
    const rules: AgentRef = { id: 'rules-1', name: 'Rules', path: 'rules-1' };
    const lines = shown(
      [
        ['run.started', { agent: 'one' }],
        ['run.started', { agent: 'two' }],
        ['agent.started', { model: 'rules, no LLM' }, rules],
        ['llm.started', { callId: 'c1', model: 'rules, no LLM' }, rules],
        ['reasoning.completed', { reasoningId: 'n1', text: 'Because.' }, rules],
        ['llm.completed', { callId: 'c1' }, rules],
        ['run.cancelled', { by: 'Ada', reason: 'enough' }],
      ],
      (index) => (index === 1 ? 'r2' : 'r1'),
    );
    expect(lines).toEqual([
      '▶ one started · run r1',
      'r2 ▶ two started · run r2',
      'r1   Rules ▶ started · rules, no LLM',
      'r1   Rules planner note: Because.',
      'r1 ■ cancelled by Ada: enough · 1 agent · 0 tool calls · 6 events',
    ]);
  });

  test('says of merged deltas what they say, entity by entity (P5)', () => {
    const envelope = { epoch: 'e1', threadId: 't1', runId: 'r1', time: '2026-11-20T18:00:00.000Z' };
    const thought = { ...envelope, type: 'reasoning.delta', agent: researcher, seq: 4, first: 2, count: 2 };
    const answer = { ...envelope, type: 'message.delta', seq: 5, first: 3, count: 2 };
    const deltas = [
      { ...thought, data: { reasoningId: 'n1', delta: 'Where to look?' } },
      { ...answer, data: { messageId: 'm1', delta: 'Here.' } },
    ];
    const timeline = new Timeline();
    timeline.add({ ...envelope, seq: 1, type: 'run.started', data: { agent: 'one' } });
    const outputs = timeline.add({ ...envelope, seq: 5, first: 2, count: 4, type: 'deltas.merged', data: { deltas } });
    expect(outputs.flatMap((it) => (it.kind === 'text' ? [it.text] : []))).toEqual(['Where to look?', 'Here.']);
    expect(timeline.snapshot('r1')).toMatchObject({ seq: 5, events: 5, messages: [{ text: 'Here.', startSeq: 3 }] });
  });

  test('says a text again where its end replaces what was streamed', () => {
    const lines = shown([
      ['run.started', { agent: 'one' }],
      ['message.delta', { messageId: 'm1', delta: 'Wrong' }],
      ['message.completed', { messageId: 'm1', text: 'Right' }],
    ]);
    expect(lines.slice(2)).toEqual(['one says', 'Wrong', 'Right', '']);
  });
});
