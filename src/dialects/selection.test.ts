import { describe, expect, test } from 'vitest';
import { type Entry, encodeEvent } from '../protocol/index.ts';
import type { Selection } from './index.ts';
import { selects } from './index.ts';

const context = { threadId: 't', runId: 'r', time: '2026-11-20T18:00:00.000Z' };
const by = (path: string, name = 'Reader'): Entry => {
  const id = path.split('/').at(-1)!;
  const event = encodeEvent({ type: 'custom', data: {}, agent: { id, name, path } }, context);
  return { ...event, start: 0, end: 0 };
};
const own: Entry = { type: 'custom', runId: 'r', start: 0, end: 0 };
const end: Entry = { ...own, type: 'run.failed' };
const EVENTS = {
  own,
  top: by('t1', 'Triage'),
  child: by('t1/r1'),
  other: by('t1/r2'),
  deep: by('t1/r1/s1', 'r1'),
  end,
};

const passing = (selection: Selection): string[] =>
  Object.entries(EVENTS).flatMap(([name, event]) => (selects(selection)!(event) ? [name] : []));

describe('a selection (P7)', () => {
  test('has everything where it names nothing', () => {
    expect(selects({})).toBeUndefined();
  });

  test('of agents has what they did themselves, by id or by name, and the end', () => {
    expect(passing({ agents: ['t1'] })).toEqual(['top', 'end']);
    expect(passing({ agents: ['Reader'] })).toEqual(['child', 'other', 'end']);
    expect(passing({ agents: ['r1'] })).toEqual(['child', 'deep', 'end']);
    expect(passing({ agents: ['nobody'] })).toEqual(['end']);
  });

  test('of a depth has what was done so deep or less deep, the run and its outermost agents being 0, and the end', () => {
    expect(passing({ depth: 0 })).toEqual(['own', 'top', 'end']);
    expect(passing({ depth: 1 })).toEqual(['own', 'top', 'child', 'other', 'end']);
    expect(passing({ depth: 2 })).toEqual(Object.keys(EVENTS));
  });

  test('of several kinds has what passes all of them; of another run nothing at all', () => {
    expect(passing({ agents: ['r1'], depth: 1 })).toEqual(['child', 'end']);
    expect(passing({ agents: ['r1'], types: ['tool.*'] })).toEqual(['end']);
    expect(passing({ runId: 'x', depth: 9 })).toEqual([]);
  });
});
