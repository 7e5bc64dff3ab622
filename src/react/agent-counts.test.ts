import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { agentCounts } from './agent-counts.ts';

const ref = (path: string) => ({ id: path.split('/').at(-1) ?? '', name: 'n', path });
const error = { code: 'x', message: 'no' };
const usage = (inputTokens: number) => ({ usage: { inputTokens } });

type Draft = readonly [type: string, data: object, path?: string];
const fold = (drafts: readonly Draft[], before: RunSnapshot = emptySnapshot('r')): RunSnapshot =>
  reduceAll(
    before,
    drafts.map(([type, data, path], i) => ({
      seq: before.seq + i + 1,
      epoch: 'e',
      threadId: 'r',
      runId: 'r',
      time: '2026-11-20T18:00:00.000Z',
      type,
      data,
      ...(path && { agent: ref(path) }),
    })) as unknown as TelltaleEvent[],
  );

const STORY: readonly Draft[] = [
  ['agent.started', {}, 'a'],
  ['agent.started', {}, 'a/b'],
  ['tool.called', { toolCallId: '1', name: 't', args: {} }, 'a/b'],
  ['tool.failed', { toolCallId: '1', error }, 'a/b'],
  ['tool.called', { toolCallId: '1', name: 't', args: {} }, 'a'],
  ['llm.completed', { callId: '1', ...usage(40) }, 'a/b'],
  ['llm.completed', { callId: '2', ...usage(2) }, 'a'],
  ['agent.started', {}, 'c'],
];

test('agents stand in a tree, with what each did itself and together with those that it invoked', () => {
  const agentsOf = agentCounts();
  const first = fold(STORY);
  const before = agentsOf(first);
  expect(before.map(({ agent, depth, own, total }) => ({ id: agent.id, depth, own, total }))).toEqual([
    { id: 'a', depth: 0, own: { tools: 1, errors: 0, ...usage(2) }, total: { tools: 2, errors: 1, ...usage(42) } },
    { id: 'b', depth: 1, own: { tools: 1, errors: 1, ...usage(40) }, total: { tools: 1, errors: 1, ...usage(40) } },
    { id: 'c', depth: 0, own: { tools: 0, errors: 0 }, total: { tools: 0, errors: 0 } },
  ]);
  expect(agentsOf(fold([['message.delta', { messageId: 'm', delta: 'Well' }, 'a']], first))).toBe(before);
  const after = agentsOf(fold([['tool.called', { toolCallId: '2', name: 't', args: {} }, 'c']], first));
  expect(after.map((it, i) => it === before[i])).toEqual([true, true, false]);
  expect(agentsOf(undefined)).toEqual([]);
});

const path = fc.constantFrom('a', 'b', 'a/b', 'b/a', 'a/b/c');
const id = fc.constantFrom('1', '2', '3');
const drafts: fc.Arbitrary<Draft> = fc.oneof(
  fc.tuple(fc.constantFrom('agent.started', 'agent.completed'), fc.constant({}), path),
  fc.tuple(fc.constant('tool.called'), fc.record({ toolCallId: id, name: fc.constant('t') }), path),
  fc.tuple(fc.constant('tool.failed'), fc.record({ toolCallId: id, error: fc.constant(error) }), path),
  fc.tuple(fc.constant('llm.completed'), fc.record({ callId: id, usage: fc.record({ inputTokens: fc.nat(9) }) }), path),
);

test('counts that are made from those before are the counts made from scratch, forward and back', () => {
  fc.assert(
    fc.property(fc.array(drafts, { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 10 }), (all, places) => {
      const agentsOf = agentCounts();
      const moments = all.map((_, i) => fold(all.slice(0, i)));
      for (const place of places) {
        const moment = moments[place];
        if (moment) expect(agentsOf(moment)).toEqual(agentCounts()(moment));
      }
    }),
  );
});
