import { expect, test } from 'vitest';
import { firstRows } from './first-rows.ts';
import { Scroller } from './scroller.ts';

test.each([0, 1, 22, 23, 28, 29, 30, 1_000])(
  'of %i rows those are shown first that the scroller mounts first',
  (count) => {
    const rows = Array.from({ length: count }, (_, i) => ({ key: `${i}` }));
    expect(firstRows(count)).toEqual(new Scroller(() => {}).mounted(rows));
  },
);
