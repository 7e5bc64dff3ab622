import { expect, test } from 'vitest';
import { Figures } from './figures.ts';

const MEASURES = [
  { what: 'frame, ms', of: (it: { frame: number }) => it.frame, most: 25 },
  { what: 'shown', of: (it: { shown: number }) => it.shown, least: 1_900 },
  { what: 'heap, MB', of: () => 1e9 },
];

test('what must hold has to hold for the median; work may be whatever it is', () => {
  const figures = new Figures();
  for (const frame of [25, 24, 300]) figures.add('live', MEASURES, { frame, shown: 2_000 });
  expect(figures.missed).toEqual([]);
  for (const frame of [26, 26]) figures.add('live', MEASURES, { frame, shown: 1_000 });
  expect(figures.missed).toEqual(['live: frame, ms']);
  figures.add('other', MEASURES, { frame: Number.NaN, shown: 1_899 });
  expect(figures.missed).toEqual(['live: frame, ms', 'other: frame, ms', 'other: shown']);
  expect(figures.table.rows[0]).toEqual(['live', 'frame, ms', '26 (24–300)', '≤ 25', '**does not hold**']);
});
