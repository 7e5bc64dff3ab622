import { describe, expect, test } from 'vitest';
import { emptySnapshot, type RunSnapshot, reduceAll, type TelltaleEvent } from '../protocol/index.ts';
import { detailsOf, oneLine } from './run-details.ts';

const by = { id: 'a-1', name: 'A', path: 'a-1' };

type Said = readonly [type: string, data?: object];

function fold(...events: readonly Said[]): RunSnapshot {
  const envelope = { epoch: 'e', threadId: 'r', runId: 'r', time: '2026-11-20T18:00:00.000Z', agent: by };
  return reduceAll(
    emptySnapshot('r'),
    events.map(([type, data = {}], i) => ({ ...envelope, seq: i + 1, type, data }) as TelltaleEvent),
  );
}

const titleOf = (about: object) => detailsOf(fold(['run.started', { agent: 'a', ...about }])).title;
const step = (stepId: string) => ['step.started', { stepId, name: `Do ${stepId}` }] as const;
const plan = (...ids: string[]) => ['plan.created', { steps: ids.map((id) => ({ id, name: `Do ${id}` })) }] as const;

describe('what a list tells of the events of a run (P8)', () => {
  test.each([
    [{}, undefined],
    [{ input: 'How much?' }, 'How much?'],
    [{ input: 'How much?', metadata: { title: 'Travel' } }, 'Travel'],
    [{ input: 'How much?', metadata: { title: ' \n' } }, 'How much?'],
    [{ input: 'How much?', metadata: { title: 7 } }, 'How much?'],
    [{ input: { folder: '/tmp', question: 'How much?' } }, 'How much?'],
    [{ input: { parameters: {}, task: 'Count' } }, 'Count'],
    [{ input: { question: ['?'], folder: '/tmp' } }, undefined],
    [{ input: 42 }, undefined],
    [{ input: null }, undefined],
  ])('%j has the title %j', (about, title) => {
    expect(titleOf(about)).toBe(title);
  });

  test('a title is one line of at most 120 characters, none of them half', () => {
    expect(oneLine(' a\r\n\tb\u2028c\u0000\u001b[31md ')).toBe('a b c [31md');
    expect(oneLine('x'.repeat(120))).toBe('x'.repeat(120));
    expect(oneLine('x'.repeat(121))).toBe(`${'x'.repeat(119)}…`);
    expect(oneLine('😀'.repeat(300_000))).toBe(`${'😀'.repeat(119)}…`);
    expect(oneLine(oneLine('word '.repeat(99)))).toBe(oneLine('word '.repeat(99)));
  });

  test.each<[string, Said[], object | undefined]>([
    ['nothing begun', [plan('1', '2')], undefined],
    ['the first of a plan', [plan('1', '2'), step('1')], { name: 'Do 1', index: 1, total: 2 }],
    [
      'the one under way, not the one that ended since',
      [plan('1', '2', '3'), step('2'), step('3'), ['step.completed', { stepId: '3' }]],
      { name: 'Do 2', index: 2, total: 3 },
    ],
    [
      'the last one begun where none is under way',
      [plan('1', '2', '3'), step('2'), step('1'), ['run.completed']],
      { name: 'Do 1', index: 1, total: 3 },
    ],
    ['one that is planned nowhere', [step('a'), step('b')], { name: 'Do b', index: 2 }],
    ['one beside the plan', [plan('1', '2'), step('1'), step('b')], { name: 'Do b', index: 2 }],
    [
      'a plan that says so itself',
      [['plan.created', { steps: [{ id: '1', name: 'One', status: 'running' }] }]],
      { name: 'One', index: 1, total: 1 },
    ],
  ])('of its steps: %s', (_, events, expected) => {
    expect(detailsOf(fold(...events)).step).toEqual(expected);
  });

  test('agents, errors and cost are those of the fold; a cost that is not known is absent', () => {
    const cost = { amount: 0.1, currency: 'EUR', source: 'provider', note: 'x'.repeat(999) };
    const call = ['llm.completed', { callId: 'c', cost }] as const;
    const failed = ['tool.failed', { toolCallId: 't', error: { code: 'x', message: 'y' } }] as const;
    expect(detailsOf(fold())).toEqual({ agents: 0, errors: 0 });
    expect(detailsOf(fold(['agent.started'], call, call, call, failed, failed))).toEqual({
      agents: 1,
      errors: 2,
      cost: { amount: 0.3, currency: 'EUR', source: 'provider' },
    });
  });
});
