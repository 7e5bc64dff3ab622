import { describe, expect, it } from 'vitest';
import { blocksOf, cutInto, framesOf } from '../testing/dialect/kit.ts';
import { dialectCases } from '../testing/dialect.cases.ts';
import { chat } from './chat.ts';
import { wordsOf } from './words.ts';

const timestamp = '2026-11-20T18:00:00.000Z';
const said = (id: string, type: string, about: object) => ({
  ...{ id: `r1.e1.${id}`, event: 'message' },
  data: { type, ...about, timestamp },
});
const agent = { agent: { id: 'h1', name: 'Lipid Specialist', path: 'h1' } };
const error = { code: 'broken', message: 'It broke', stack: 'at x' };

describe('the chat dialect', () => {
  dialectCases({
    test: it,
    dialect: chat,
    golden: [
      {
        name: 'an answer that is streamed, with specialists and tools',
        events: [
          ['run.started', { agent: 'health', input: 'Is my LDL high?' }],
          ['message.completed', { messageId: 'u', role: 'user', text: 'Is my LDL high?' }],
          ['message.started', { messageId: 'v', role: 'user' }],
          ['message.delta', { messageId: 'v', delta: 'not told' }],
          ['message.completed', { messageId: 'v' }],
          ['agent.started', {}, agent],
          ['reasoning.delta', { reasoningId: 'r', delta: 'not told' }, agent],
          ['tool.started', { toolCallId: 't', name: 'labs' }, agent],
          ['tool.args.delta', { toolCallId: 't', delta: '{"name":"LDL"}' }, agent],
          ['tool.called', { toolCallId: 't', name: 'labs', args: { name: 'LDL' } }, agent],
          ['tool.completed', { toolCallId: 't', result: 4.1 }, agent],
          ['tool.args.delta', { toolCallId: 'late', delta: '{"n":1}' }, agent],
          ['tool.completed', { toolCallId: 'late', name: 'trend', result: 1 }, agent],
          ['tool.denied', { toolCallId: 'd', name: 'write', reason: 'no' }, agent],
          ['approval.requested', { approvalId: 'a', prompt: 'Share it?' }],
          ['approval.resolved', { approvalId: 'a', decision: 'approve' }],
          ['approval.expired', { approvalId: 'b' }, agent],
          ['agent.completed', {}, agent],
          ['agent.failed', { error }, agent],
          ['message.delta', { messageId: 'm', delta: 'Yes, ' }],
          ['message.delta', { messageId: 'm', delta: 'a little.' }],
          ['message.completed', { messageId: 'm', text: 'Yes, a little.' }],
          ['message.completed', { messageId: 'w', text: 'See a doctor.' }],
          ['error.reported', { error }],
          ['run.completed', { output: 'Yes, a little.' }],
        ],
        frames: [
          said('6', 'specialist_update', { specialist: 'Lipid Specialist', status: 'started' }),
          said('10', 'tool_call', { tool: 'labs', arguments: { name: 'LDL' } }),
          said('13', 'tool_call', { tool: 'trend', arguments: { n: 1 } }),
          said('14.1', 'tool_call', { tool: 'write', arguments: {} }),
          said('14', 'specialist_update', { specialist: 'write', status: 'denied' }),
          said('15', 'specialist_update', { specialist: 'health', status: 'waiting for approval' }),
          said('16', 'specialist_update', { specialist: 'health', status: 'approve' }),
          said('17', 'specialist_update', { specialist: 'Lipid Specialist', status: 'approval expired' }),
          said('18', 'specialist_update', { specialist: 'Lipid Specialist', status: 'completed' }),
          said('19', 'specialist_update', { specialist: 'Lipid Specialist', status: 'failed' }),
          said('20', 'text', { content: 'Yes, ' }),
          said('21', 'text', { content: 'a little.' }),
          said('23', 'text', { content: 'See a doctor.' }),
          { id: 'r1.e1.25', event: 'done', data: { status: 'complete' } },
        ],
      },
      {
        name: 'an answer that is only returned',
        events: [
          ['run.started', { agent: 'echo' }],
          ['run.completed', { output: 'Hello' }],
        ],
        frames: [
          said('2.1', 'text', { content: 'Hello' }),
          { id: 'r1.e1.2', event: 'done', data: { status: 'complete' } },
        ],
      },
      {
        name: 'a run that fails, without its stack',
        events: [
          ['run.started', { agent: 'health' }],
          ['run.failed', { error }],
        ],
        frames: [{ id: 'r1.e1.2', event: 'error', data: { error: 'It broke', code: 'broken' } }],
      },
      {
        name: 'a run that is cancelled',
        events: [
          ['run.started', { agent: 'health' }],
          ['run.cancelled', { reason: 'Enough' }],
        ],
        frames: [{ id: 'r1.e1.2', event: 'error', data: { error: 'cancelled', code: 'cancelled' } }],
      },
    ],
  });

  it('says the deltas of a long history as one text, with the id of the last', () => {
    const delta = (text: string) => ['message.delta', { messageId: 'm', delta: text }] as const;
    const [block] = cutInto(
      blocksOf([['run.started', { agent: 'a' }], delta('a'), delta('\ud83d'), delta('\ude00')]),
      4,
    );
    expect(framesOf(chat, [block!], { merge: true })).toEqual([said('4', 'text', { content: 'a😀' })]);
  });

  it('speaks of its stream in its own words', () => {
    const words = wordsOf(chat, { threadId: 't1', runId: 'r1' });
    const head = { epoch: 'e1', first: 1, last: 9, epochs: [{ epoch: 'e1', start: 1 }] } as never;
    expect(words.hello({} as never)).toBe('event: connected\ndata: {"status":"connected"}\n\n');
    expect(words.reset({ reason: 'truncated' } as never, 4, head)).toMatch(
      /^id: r1\.e1\.4\nevent: connected\ndata: \{"status":"connected","reset":"truncated"\}\n\n$/,
    );
    expect(words.bye('deleted')).toBe('event: error\ndata: {"error":"deleted","code":"run_deleted"}\n\n');
    expect([words.bye('ended'), words.revoked('expired')]).toEqual(['', '']);
    expect(words.revoked('revoked')).toBe('event: error\ndata: {"error":"revoked","code":"access_revoked"}\n\n');
    expect(words.heartbeat({ count: 2, time: timestamp })).toBe(': heartbeat\n\n');
  });
});
