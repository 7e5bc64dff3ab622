import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type EpochStart,
  formatCursor,
  type Head,
  locate,
  type Position,
  parseCursor,
  type ResetReason,
} from './cursor.ts';
import { newEpoch } from './random-id.ts';
import { epochOf } from './stream.ts';

const epochs = fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/);
const numbers = fc.maxSafeNat();

describe('P4: a cursor', () => {
  it('is read back as it was written, in at most 64 ASCII characters', () => {
    fc.assert(
      fc.property(epochs, numbers, fc.option(fc.integer({ min: 1, max: 999 }), { nil: undefined }), (epoch, seq, k) => {
        const text = formatCursor(epoch, seq, k);
        expect(text).toMatch(/^[!-~]{1,64}$/);
        expect(parseCursor(text)).toEqual(k === undefined ? { epoch, seq } : { epoch, seq, k });
      }),
    );
  });

  it('has one spelling: what is read is written the same again, and the rest is none', () => {
    const parts = fc.constantFrom(
      'a',
      'E-_',
      '.',
      '0',
      '00',
      '7',
      '-1',
      '+',
      '1e3',
      ' ',
      '\n',
      '\0',
      'é',
      '９',
      '9007199254740993',
      ',',
      '%',
      '"',
    );
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: parts })), (text) => {
        const cursor = parseCursor(text);
        if (cursor) expect(formatCursor(cursor.epoch, cursor.seq, cursor.k)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    '',
    '.',
    'e',
    'e.',
    '.1',
    'e.-1',
    'e.+1',
    'e.01',
    'e.1.',
    'e.1.0',
    'e.1.01',
    'e.1.1000',
    'e.1.1.1',
    'e.1 ',
    ' e.1',
    'e.1\n',
    'e.1e3',
    'e.1,5',
    'e.9007199254740992',
    'e.99999999999999999999',
    `${'e'.repeat(33)}.1`,
    'é.1',
    'e.１',
    '"e.1"',
    'e.1, e.2',
    "e' OR 1=1.1",
    `${'e'.repeat(100_000)}.1`,
    'e.'.repeat(50_000),
    '../e.1',
    '{e}.1',
    'e.0x1',
  ])('is not %j', (text) => {
    expect(parseCursor(text)).toBeUndefined();
  });

  it('is read in no time however long the text', () => {
    const long = `${'a'.repeat(32)}.${'1'.repeat(1_000_000)}`;
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) parseCursor(long);
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

const head = (first: number, last: number, ...list: EpochStart[]): Head => ({
  epoch: list.at(-1)?.id ?? '',
  first,
  last,
  epochs: list,
});
const on = (after: number): Position => ({ after });
const reset = (reason: ResetReason, shared: number, after = shared): Position => ({ after, reset: { reason, shared } });

const A = { id: 'A', after: 0 };
const B = { id: 'B', after: 6 };
const C = { id: 'C', after: 6 };

describe('P7: where a cursor leads', () => {
  it.each<[string, string, Head, Position]>([
    ['the beginning', 'A.0', head(1, 9, A), on(0)],
    ['the middle', 'A.4', head(1, 9, A), on(4)],
    ['the tail', 'A.9', head(1, 9, A), on(9)],
    ['beyond the tail', 'A.10', head(1, 9, A), reset('ahead_of_tail', 0)],
    ['far beyond the tail of a trimmed log', 'A.99', head(5, 9, A), reset('ahead_of_tail', 0, 4)],
    ['another log', 'X.4', head(1, 9, A), reset('unknown_epoch', 0)],
    ['another log, this one trimmed', 'X.4', head(5, 9, A), reset('unknown_epoch', 0, 4)],
    ['no cursor at all', 'nonsense', head(1, 9, A), reset('malformed', 0)],
    ['no cursor at all, in a trimmed log', 'nonsense', head(5, 9, A), reset('malformed', 0, 4)],
    ['before what is kept', 'A.2', head(5, 9, A), reset('truncated', 2, 4)],
    ['right before what is kept', 'A.4', head(5, 9, A), on(4)],
    ['an earlier epoch, within what survived', 'A.6', head(1, 9, A, B), on(6)],
    ['an earlier epoch, beyond what survived', 'A.7', head(1, 9, A, B), reset('diverged', 6)],
    ['an earlier epoch, beyond what survived, trimmed since', 'A.8', head(8, 9, A, B), reset('diverged', 6, 7)],
    ['an earlier epoch, trimmed since', 'A.3', head(5, 9, A, B), reset('truncated', 3, 4)],
    ['the newest epoch after a fork', 'B.9', head(1, 9, A, B), on(9)],
    ['beyond the newest epoch after a fork', 'B.10', head(1, 9, A, B), reset('ahead_of_tail', 0)],
    ['an epoch that numbered nothing that survived', 'B.7', head(1, 9, A, B, C), reset('diverged', 6)],
    ['two epochs back', 'A.7', head(1, 9, A, B, C), reset('diverged', 6)],
    ['a part of an event', 'A.4.2', head(1, 9, A), on(4)],
    ['an empty log with a past', 'A.9', head(10, 9, A), on(9)],
  ])('%s', (_, cursor, log, position) => {
    expect(locate(parseCursor(cursor), log)).toEqual(position);
  });

  it('is never before what is kept, never silent about a hole, and after a reset good the second time', () => {
    const log = fc
      .record({ forks: fc.array(fc.nat(30), { maxLength: 4 }), last: fc.nat(40), first: fc.nat(40) })
      .map(({ forks, last, first }) => {
        const afters = forks.map((at) => Math.min(at, last)).sort((a, b) => a - b);
        const list = [0, ...afters].map((after, i) => ({ id: `e${i}`, after }));
        return head(1 + Math.min(first, last), last, ...list);
      });
    fc.assert(
      fc.property(log, fc.nat(6), fc.nat(45), (log, epoch, seq) => {
        const position = locate({ epoch: `e${epoch}`, seq }, log);
        expect(position.after).toBeGreaterThanOrEqual(log.first - 1);
        expect(position.after).toBeLessThanOrEqual(log.last);
        if (!position.reset) expect(position.after).toBe(seq);
        else expect(position.reset.shared).toBeLessThanOrEqual(seq);
        // What a reset's own id names can be followed.
        const again = locate({ epoch: epochOf(log, position.after), seq: position.after }, log);
        expect(again).toEqual({ after: position.after });
      }),
      { numRuns: 2000 },
    );
  });

  it('is told apart between logs: epochs do not repeat', () => {
    const drawn = new Set(Array.from({ length: 10_000 }, newEpoch));
    expect(drawn.size).toBe(10_000);
    for (const epoch of drawn) expect(parseCursor(`${epoch}.1`)).toEqual({ epoch, seq: 1 });
  });
});
