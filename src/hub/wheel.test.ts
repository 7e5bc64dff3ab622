import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Wheel } from './wheel.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('every member ticks once per period, never later than that, with one timer for all and none for nobody', () => {
  const wheel = new Wheel(1600);
  const members = Array.from({ length: 40 }, () => {
    vi.advanceTimersByTime(70);
    const member = { ticks: [] as number[], tick: () => void member.ticks.push(Date.now()) };
    const added = Date.now();
    return { member, added, slot: wheel.add(member) };
  });
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(16_000);
  for (const { member, added } of members) {
    const gaps = member.ticks.map((at, i) => at - (member.ticks[i - 1] ?? added));
    expect(gaps[0]).toBeGreaterThan(1400);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1600);
    expect(member.ticks.length).toBeGreaterThanOrEqual(10);
  }
  for (const { member, slot } of members) wheel.remove(member, slot);
  wheel.remove(members[0]!.member, members[0]!.slot);
  expect(vi.getTimerCount()).toBe(0);
});
