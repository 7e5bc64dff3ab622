import { expect, test } from 'vitest';
import { arriving } from './later.ts';

test('code is asked for when it is shown first, again where it did not come, and once for all who show it', async () => {
  let asked = 0;
  const code = arriving(async () => {
    asked++;
    if (asked === 1) throw new TypeError('Failed to fetch dynamically imported module');
    return 'code';
  });
  expect(asked).toBe(0);
  const arrivals = await new Promise<number>((resolve) => {
    let told = 0;
    const leave = code.subscribe(() => {
      throw new Error('Whoever left is told nothing.');
    });
    leave();
    code.subscribe(() => told++);
    code.subscribe(() => resolve(told));
    expect(code.getSnapshot()).toBeUndefined();
  });
  expect(arrivals).toBe(1);
  code.subscribe(() => {});
  expect([asked, code.getSnapshot()]).toEqual([2, 'code']);
});
