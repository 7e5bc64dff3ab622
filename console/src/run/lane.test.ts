import { describe, expect, test } from 'vitest';
import { initialsOf, laneOf } from './lane.ts';

describe('how agents are told apart', () => {
  test.each([
    ['policy-bot', 'PB'],
    ['ServiceNow', 'SN'],
    ['triage', 'TR'],
    ['agent 2', 'A2'],
    ['研究', '研究'],
    ['\u202e', '?'],
    ['', '?'],
  ])('%s is %s', (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });

  test('names that differ in a digit spread over all colours', () => {
    const lanes = new Set(Array.from({ length: 40 }, (_, i) => laneOf(`worker-${i}`)));
    expect([...lanes].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(laneOf('triage')).toBe(laneOf('triage'));
  });
});
