import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Extent, lineOf } from './line.ts';

/** A run of which some is read: its numbers leave out those of other runs, its places grow. */
const extents = fc
  .record({
    steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 2_000 })), { minLength: 1 }),
    ahead: fc.nat(500),
  })
  .map(({ steps, ahead }) => {
    const seqs: number[] = [];
    const places: number[] = [];
    for (const [numbers, ms] of steps) {
      seqs.push((seqs.at(-1) ?? 0) + numbers);
      places.push(places.length === 0 ? 0 : (places.at(-1) ?? 0) + ms);
    }
    const last = seqs.at(-1) as number;
    const before = (values: number[], value: number): number => values.findLastIndex((it) => it <= value);
    const extent: Extent = {
      first: seqs[0] as number,
      last,
      loaded: seqs.length,
      total: seqs.length + ahead,
      isLoading: ahead > 0,
      newest: last + ahead,
      place: (seq) => places[before(seqs, seq)] ?? 0,
      seqAt: (place) => seqs[Math.max(0, before(places, place))] as number,
    };
    return { extent, seqs };
  });

test('every event has its place on the line, in their order, and is found there again', () => {
  fc.assert(
    fc.property(extents, ({ extent, seqs }) => {
      const line = lineOf(extent);
      const places = seqs.map((seq) => line.at(seq));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      expect(places.every((it) => it >= 0 && it <= 1)).toBe(true);
      // By a hair to the right: fractions are rounded.
      expect(places.map((it) => line.seqAt(it + 1e-9))).toEqual(seqs);
      if (extent.isLoading) expect(line.seqAt(1)).toBe(extent.newest);
    }),
    { numRuns: 60 },
  );
});

test('a run of which nothing was read yet is laid out by its numbers', () => {
  const line = lineOf({
    ...{ first: 0, last: 0, loaded: 0, total: 0, isLoading: true, newest: 200 },
    ...{ place: () => 0, seqAt: () => 0 },
  });
  expect([line.read, line.seqAt(0.5), line.at(50), line.at(200)]).toEqual([0, 100, 0.25, 1]);
});
