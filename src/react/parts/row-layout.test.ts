import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowLayout } from './row-layout.ts';

const keyed = (keys: readonly number[]) => keys.map((it) => ({ key: String(it) }));

/** The same, worked out from the beginning each time. */
function model(keys: readonly number[], heights: ReadonlyMap<number, number>): number[] {
  const tops = [0];
  for (const key of keys) tops.push(tops.at(-1)! + (heights.get(key) ?? 32));
  return tops;
}

const change = fc.oneof(
  fc.record({ rows: fc.uniqueArray(fc.nat(60), { maxLength: 50 }) }),
  fc.record({ index: fc.nat(60), height: fc.integer({ min: 0, max: 200 }) }),
);

test('rows stand where the sum of those before them says, whatever came, went and was measured', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.array(fc.nat(3_000), { maxLength: 10 }), (changes, offsets) => {
      const layout = new RowLayout();
      const heights = new Map<number, number>();
      let keys: readonly number[] = [];
      for (const it of changes) {
        if ('rows' in it) {
          keys = it.rows;
          layout.show(keyed(keys));
        } else {
          const key = keys[it.index];
          expect(layout.measure(it.index, it.height)).toBe(key !== undefined && heights.get(key) !== it.height);
          if (key !== undefined) heights.set(key, it.height);
        }
        const tops = model(keys, heights);
        expect(layout.height).toBe(tops.at(-1));
        for (const offset of offsets) {
          const index = layout.at(offset);
          if (keys.length === 0) expect(index).toBe(0);
          else
            expect(index).toBe(
              Math.max(
                0,
                Math.min(
                  keys.length - 1,
                  tops.findLastIndex((top) => top <= offset),
                ),
              ),
            );
        }
        keys.forEach((key, index) => {
          expect(layout.top(index)).toBe(tops[index]);
          expect(layout.indexOf(String(key), Math.min(offsets[0] ?? 0, keys.length))).toBe(index);
        });
        expect(layout.indexOf('none', 0)).toBe(-1);
      }
    }),
  );
});
