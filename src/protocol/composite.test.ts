import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CursorPart,
  cursorOfPart,
  digest,
  formatPart,
  type Head,
  locate,
  MAX_STREAMS,
  parseComposite,
  streamKey,
} from './index.ts';

const format = (parts: Iterable<CursorPart>): string => [...parts].map(formatPart).join('');
const base64 = fc.constantFrom(...'ABCXYZabcxyz0189-_');
const word = fc.string({ unit: base64, minLength: 5, maxLength: 5 });
const part = fc.record(
  { key: word, epoch: word, seq: fc.maxSafeNat(), k: fc.integer({ min: 1, max: 999 }) },
  { requiredKeys: ['key', 'epoch', 'seq'] },
);
const parts = fc.uniqueArray(part, { selector: ({ key }) => key, minLength: 1, maxLength: MAX_STREAMS });

describe('a composite cursor (P4)', () => {
  test('comes back as it was written, in whatever order its parts stand', () => {
    fc.assert(
      fc.property(parts, fc.nat(), (all, turn) => {
        const turned = [...all.slice(turn % all.length), ...all.slice(0, turn % all.length)];
        const read = parseComposite(format(turned));
        expect(read && [...read.values()]).toEqual(turned);
        for (const it of all) expect(read?.get(it.key)).toEqual(it);
      }),
    );
  });

  test('of sixteen streams, with the greatest numbers, is 512 characters long, and none of seventeen is read', () => {
    const greatest = (n: number): CursorPart => ({
      key: `key${String(n).padStart(2, '0')}`,
      epoch: 'epoch',
      seq: Number.MAX_SAFE_INTEGER,
      k: 999,
    });
    const all = Array.from({ length: MAX_STREAMS }, (_, n) => greatest(n));
    expect(format(all)).toHaveLength(512);
    expect(parseComposite(format(all))?.size).toBe(MAX_STREAMS);
    const small = Array.from({ length: 17 }, (_, n) => ({ ...greatest(n), seq: 1, k: 1 }));
    expect(parseComposite(format(small))).toBeUndefined();
  });

  test('is read in one spelling only, whatever is thrown at it', () => {
    const near = fc.array(fc.constantFrom('~', '.', '0', '1', '12', 'abcde', 'ABCDEfghij', '~ABCDEfghij.1'));
    const broken = fc
      .tuple(parts, fc.nat(), fc.string({ unit: 'binary', maxLength: 3 }), fc.nat({ max: 3 }))
      .map(([all, at, insert, drop]) => {
        const text = format(all);
        const cut = at % text.length;
        return text.slice(0, cut) + insert + text.slice(cut + drop);
      });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          near.map((it) => it.join('')),
          broken,
        ),
        (text) => {
          const read = parseComposite(text);
          if (read) expect(format(read.values())).toBe(text);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test.each([
    '',
    '~',
    'k3f9x0q2vd.12',
    '~ABCDEfghij',
    '~ABCDEfghij.',
    '~ABCDEfghij.01',
    '~ABCDEfghij.+1',
    '~ABCDEfghij.1.0',
    '~ABCDEfghij.1.1000',
    '~ABCDEfghij.9007199254740993',
    '~ABCDEfghi.1',
    '~ABCDEfghij.1~',
    '~~ABCDEfghij.1',
    ' ~ABCDEfghij.1',
    '~ABCDEfghij.1\n',
    '~ABCDEfghi\u00e9.1',
    '~ABCDEfghij.1~ABCDExxxxx.2',
    '~ABCDEfghij.1'.repeat(1000),
  ])('%j is none', (text) => expect(parseComposite(text)).toBeUndefined());

  test('shortens names as PROTOCOL.md says', () => {
    // The published vectors of FNV-1a, 32 bits, with the upper two bits folded into the rest.
    const vectors: [string, number][] = [
      ['', 0x811c9dc5],
      ['a', 0xe40c292c],
      ['foobar', 0xbf9cf968],
    ];
    for (const [text, hash] of vectors) {
      const bits = ((hash % 2 ** 30) ^ Math.floor(hash / 2 ** 30)).toString(2).padStart(30, '0');
      const bytes = Buffer.from(`${bits}00`.match(/.{8}/g)!.map((it) => Number.parseInt(it, 2)));
      expect(digest(text)).toBe(bytes.toString('base64url').slice(0, 5));
    }
    expect(streamKey('run:r1')).not.toBe(streamKey('thread:r1'));
  });

  test('is followed by the epoch it names; by none that does not fit; by the older of two that do', () => {
    const head = (...epochs: string[]): Head => ({
      epoch: epochs.at(-1)!,
      first: 1,
      last: 10 * epochs.length,
      epochs: epochs.map((id, i) => ({ id, after: 10 * i })),
    });
    const at = (epoch: string, seq: number): CursorPart => ({ key: 'xxxxx', epoch: digest(epoch), seq });
    expect(cursorOfPart({ ...at('e2', 11), k: 2 }, head('e1', 'e2'))).toEqual({ epoch: 'e2', seq: 11, k: 2 });
    expect(locate(cursorOfPart(at('e1', 11), head('e1', 'e2')), head('e1', 'e2')).reset?.reason).toBe('diverged');
    expect(locate(cursorOfPart(at('e3', 5), head('e1', 'e2')), head('e1', 'e2')).reset?.reason).toBe('unknown_epoch');

    const seen = new Map<string, string>();
    let twins: [string, string] | undefined;
    for (let n = 0; !twins; n++) {
      const known = seen.get(digest(`n${n}`));
      if (known) twins = [known, `n${n}`];
      seen.set(digest(`n${n}`), `n${n}`);
    }
    expect(locate(cursorOfPart(at(twins[1], 15), head(...twins)), head(...twins)).reset).toEqual({
      reason: 'diverged',
      shared: 10,
    });
  });
});
