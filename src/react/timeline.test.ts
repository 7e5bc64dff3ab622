import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import type { Draft } from '../hub/drafts.fixture.ts';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { type TimelineRow, timelineOf } from './timeline.ts';

const finder = { id: 'i1', name: 'finder', path: 'i1' };
const reader = { id: 'i2', name: 'reader', path: 'i1/i2' };
const NO_CHOICES = new Map<string, boolean>();

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapUsed = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

function fold(drafts: readonly Draft[], before: RunSnapshot = emptySnapshot('r')): RunSnapshot {
  const envelope = { epoch: 'e', threadId: 'r', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
  const events = drafts.map(([type, data = {}, agent], i) => ({
    ...envelope,
    seq: before.seq + i + 1,
    type,
    data,
    ...(agent && { agent }),
  }));
  return reduceAll(before, events as TelltaleEvent[]);
}

const lines = (rows: readonly TimelineRow[]): string[] =>
  rows.map(({ depth, kind, item, isOpen }) => {
    const name = 'name' in item ? item.name : 'id' in item ? item.id : 'action' in item ? item.action : 'it';
    return `${'  '.repeat(depth)}${kind} ${name}${isOpen ? '' : ' …'}`;
  });

const STORY: readonly Draft[] = [
  ['run.started', { agent: 'a' }],
  [
    'plan.created',
    {
      steps: [
        { id: 's1', name: 'look' },
        { id: 's2', name: 'tell' },
      ],
    },
  ],
  ['step.started', { stepId: 's1', name: 'look' }],
  ['agent.started', {}, finder],
  ['reasoning.delta', { reasoningId: 'x', delta: 'Hm' }, finder],
  ['agent.started', {}, reader],
  ['tool.called', { toolCallId: 't', name: 'search', args: {} }, finder],
  ['tool.called', { toolCallId: 't', name: 'read', args: {} }, reader],
  ['activity.reported', { action: 'looks', status: 'ok' }],
  ['approval.requested', { approvalId: 'q', prompt: 'May I?', toolCallId: 't' }],
  ['message.delta', { messageId: 'm', delta: 'Well' }],
  ['error.reported', { error: { code: 'odd', message: 'Odd.' } }],
];

describe('a timeline', () => {
  test('stands in the order in which things began, what an agent did below it', () => {
    expect(lines(timelineOf()(fold(STORY), NO_CHOICES))).toEqual([
      'step look',
      'agent finder',
      '  thinking x',
      '  agent reader',
      '    tool read …',
      '    approval q',
      '  tool search …',
      'activity looks',
      'message m',
      'error it',
    ]);
    expect(timelineOf()(undefined, NO_CHOICES)).toEqual([]);
  });

  test('folds thinking when it is over, never what failed; the reader decides otherwise, for good', () => {
    const rowsOf = timelineOf();
    const open = rowsOf(fold(STORY), NO_CHOICES);
    const [agent, thinking] = [open[1]!, open[2]!];
    const story = [...STORY, ['tool.failed', { toolCallId: 't', error: { code: 'c', message: 'm' } }, finder] as Draft];
    const over = fold([...story, ['reasoning.completed', { reasoningId: 'x' }, finder]]);
    const text = lines(rowsOf(over, NO_CHOICES));
    expect(text).toContain('  thinking x …');
    expect(text).toContain('  tool search');
    // What a failed tool tells of itself is not told again.
    expect(text.filter((it) => it.trim().startsWith('error'))).toHaveLength(1);
    expect(lines(rowsOf(over, new Map([[thinking.key, true]])))).toContain('  thinking x');
    expect(lines(rowsOf(over, new Map([[agent.key, false]])))).toEqual([
      'step look',
      'agent finder …',
      'activity looks',
      'message m',
      'error it',
    ]);
  });

  test('tells how the run itself failed, also where that ended others', () => {
    const failed = fold([...STORY, ['run.failed', { error: { code: 'agent_failed', message: 'No.' } }]]);
    expect(lines(timelineOf()(failed, NO_CHOICES)).filter((it) => it === 'error it')).toHaveLength(2);
  });

  test('keeps the rows that show the same, and the keys of those that do not', () => {
    const rowsOf = timelineOf();
    const first = fold(STORY);
    const before = rowsOf(first, NO_CHOICES);
    const after = rowsOf(fold([['message.delta', { messageId: 'm', delta: ', ' }]], first), NO_CHOICES);
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(new Set(after.map(({ key }) => key)).size).toBe(after.length);
    expect(after.filter((row, i) => row !== before[i]).map(({ kind }) => kind)).toEqual(['message']);
  });

  test('shows once what went and came again while nobody saw it', () => {
    const rowsOf = timelineOf();
    const early = fold([['agent.started', {}, finder]]);
    const late = fold([['tool.called', { toolCallId: 't', name: 'search', args: {} }, finder]], early);
    const closed = new Map([['agent:0:i1', false]]);
    for (const snapshot of [early, late, early, late]) expect(rowsOf(snapshot, closed)).toHaveLength(1);
    expect(lines(rowsOf(late, NO_CHOICES))).toEqual(['agent finder', '  tool search …']);
  });

  test('remembers what happens below a closed agent once, however often it changes, comes and goes', () => {
    const rowsOf = timelineOf();
    const closed = new Map([['agent:0:i1', false]]);
    const start = fold([['agent.started', {}, finder]]);
    const moments = Array.from({ length: 3 }, (_, i) =>
      i === 0 ? start : fold([['message.delta', { messageId: 'm', delta: `${i}` }, finder]], start),
    );
    for (const it of moments) rowsOf(it, closed);
    const before = heapUsed();
    for (let i = 0; i < 200_000; i++) rowsOf(moments[i % 3], closed);
    expect(heapUsed() - before).toBeLessThan(1_000_000);
    expect(lines(rowsOf(moments[1], NO_CHOICES))).toEqual(['agent finder', '  message m']);
  });

  test('shows agents whose producer says that each invoked the other, and chains of any length', () => {
    const a = { id: 'a', name: 'a', path: 'b/a' };
    const b = { id: 'b', name: 'b', path: 'a/b' };
    const circle = fold([
      ['agent.started', {}, a],
      ['agent.started', {}, b],
    ]);
    expect(lines(timelineOf()(circle, NO_CHOICES))).toEqual(['agent a', '  agent b']);
    const chain = Array.from({ length: 20_000 }, (_, i): Draft => {
      const [id, parent] = [`i${i}`, `i${i - 1}`];
      return ['agent.started', {}, { id, name: 'n', path: i ? `${parent}/${id}` : id }];
    });
    expect(timelineOf()(fold(chain), NO_CHOICES).at(-1)?.depth).toBe(19_999);
  });
});
