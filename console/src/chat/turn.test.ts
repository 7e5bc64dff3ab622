import { emptySnapshot, type RunSnapshot, reduce, type TelltaleEvent } from 'telltale/protocol';
import { describe, expect, test } from 'vitest';
import { turnOf } from './turn.ts';

type Draft = readonly [second: number, type: string, data: object, agent?: string | undefined];

/** The fold of a run of these events, the path of their agent last. */
function runOf(...drafts: readonly Draft[]): RunSnapshot {
  return drafts.reduce(
    (run, [second, type, data, path], i) => {
      const time = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
      const id = path?.split('/').at(-1) ?? '';
      const agent = path === undefined ? {} : { agent: { id, name: id.toUpperCase(), path } };
      const event = { seq: i + 1, epoch: 'e', threadId: 't', runId: 'r', type, time, data, ...agent };
      return reduce(run, event as TelltaleEvent);
    },
    emptySnapshot('r', 't'),
  );
}

const START: Draft = [0, 'run.started', { agent: 'a', input: 'Why?' }];
const tool = (second: number, id: string, path?: string): Draft => [
  second,
  'tool.called',
  { toolCallId: id, name: `tool-${id}`, args: { limit: 3, path: 'a.md' } },
  path,
];
const said = (second: number, text: string, path?: string): Draft => [
  second,
  'message.delta',
  { messageId: `m${second}`, delta: text },
  path,
];

describe('what a conversation shows of a run', () => {
  test('it thinks until its answer begins, however much is said on the way', () => {
    const onTheWay = runOf(START, said(2, 'I look. '), tool(4, 'x'));
    expect(turnOf(onTheWay)).toMatchObject({ question: 'Why?', phase: 'thinking', tools: 1, answer: 'I look. ' });
    expect(turnOf(onTheWay).thinkingMs).toBeUndefined();
    const answering = runOf(START, said(2, 'I look. '), tool(4, 'x'), said(12, 'So.'));
    expect(turnOf(answering)).toMatchObject({ phase: 'answering', thinkingMs: 12_000 });
    // Nobody thinks while somebody is asked.
    const asking = runOf(START, [2, 'approval.requested', { approvalId: 'q', prompt: 'Go on?' }]);
    expect(turnOf(asking)).toMatchObject({ phase: 'thinking', isAsking: true });
    expect(turnOf(answering).isAsking).toBe(false);
  });

  test('what its specialists say to it is not the answer; what it returns is, where it says nothing', () => {
    const run = runOf(START, [1, 'agent.started', {}, 'b'], [1, 'agent.started', {}, 'b/c'], said(2, 'Psst.', 'b/c'));
    expect(turnOf(run).answer).toBe('');
    expect(turnOf(runOf(START, [3, 'run.completed', { output: 'Because.' }]))).toMatchObject({
      ...{ phase: 'completed', answer: 'Because.', thinkingMs: 3_000 },
    });
    expect(turnOf(runOf(START, [3, 'run.completed', { output: { a: 1 } }])).answer).toContain('"a": 1');
  });

  test('the newest of what is done stands below the agent that does it; failures are counted', () => {
    const failed: Draft = [3, 'tool.failed', { toolCallId: 'y', error: { code: 'x', message: 'No.' } }, 'b/c'];
    const agents: Draft[] = [
      [1, 'agent.started', {}, 'b'],
      [1, 'agent.started', {}, 'b/c'],
    ];
    const turn = turnOf(runOf(START, ...agents, tool(2, 'y', 'b/c'), failed, tool(3, 'z')));
    expect(turn.lines).toMatchObject([
      { name: 'B', depth: 0, status: 'running' },
      { name: 'C', depth: 1, status: 'running' },
      { name: 'tool-y', depth: 2, status: 'failed', durationMs: 1_000, problem: 'No.', args: 'limit: 3, path: "a.md"' },
      { name: 'tool-z', depth: 0, status: 'running' },
    ]);
    expect(turn).toMatchObject({ tools: 2, failedTools: 1, earlier: 0 });
    const many = turnOf(runOf(START, ...Array.from({ length: 20 }, (_, i) => tool(i, String(i)))));
    expect([many.lines.length, many.lines.at(-1)?.name, many.earlier]).toEqual([8, 'tool-19', 12]);
  });
});
