import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plain, plainJson, plainLine } from './plain.ts';

const ESC = '\u001b';
/** All that a terminal would obey or not show (T6, T7). */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** What may hold some of it all the same. */
const EMOJI = new RegExp(String.raw`\p{${'RGI_Emoji'}}`, 'gv');

describe('hostile text', () => {
  test.each([
    ['writes the clipboard (OSC 52)', `a${ESC}]52;c;ZXZpbA==\u0007b`, 'a␛]52;c;ZXZpbA==␇b'],
    ['sets the title', `${ESC}]0;root shell${ESC}\\`, '␛]0;root shell␛\\'],
    [
      'hides a link behind other text (OSC 8)',
      `${ESC}]8;;http://evil.test${ESC}\\bank${ESC}]8;;${ESC}\\`,
      '␛]8;;http://evil.test␛\\bank␛]8;;␛\\',
    ],
    ['clears the screen', `${ESC}[2J${ESC}[H`, '␛[2J␛[H'],
    ['uses the 8-bit CSI', '\u009b31mred', '<U+009B>31mred'],
    ['uses the 8-bit OSC and ST', '\u009d0;title\u009c', '<U+009D>0;title<U+009C>'],
    ['asks the terminal to answer', `${ESC}[6n${ESC}P$q"p${ESC}\\`, '␛[6n␛P$q"p␛\\'],
    ['overwrites the line', 'rm -rf /\rls', 'rm -rf /␍ls'],
    ['takes letters back', 'good\b\b\b\bevil', 'good␈␈␈␈evil'],
    ['rings, deletes and ends', '\u0007\u007f\u0000', '␇␡␀'],
    ['reverses the reading (bidi)', 'user\u202egnp.exe', 'user<U+202E>gnp.exe'],
    ['isolates a part of it', '\u2066x\u2069', '<U+2066>x<U+2069>'],
    ['hides letters of no width', 'pay\u200bpal\u2060\ufeff', 'pay<U+200B>pal<U+2060><U+FEFF>'],
    ['smuggles text in tags', 'hi\u{e0069}\u{e0067}', 'hi<U+E0069><U+E0067>'],
    ['smuggles bytes in variation selectors', 'x\u{e0100}\ufe01', 'x<U+E0100><U+FE01>'],
    ['leaves blanks that are letters', '\u3164\u115f\uffa0', '<U+3164><U+115F><U+FFA0>'],
    ['ends the line otherwise', 'a\u2028b\u2029c\u0085d', 'a<U+2028>b<U+2029>c<U+0085>d'],
    ['is half of a character', 'a\ud83d', 'a<U+D83D>'],
  ])('that %s is shown, not obeyed', (_name, text, shown) => expect(plain(text)).toBe(shown));

  test('leaves honest text alone: accents, scripts, line feeds, emoji with joiners, flags', () => {
    const text = 'Zürich 東京 شارع\n👩‍👩‍👧 🏴󠁧󠁢󠁳󠁣󠁴󠁿 ❤️ 👍🏽 🇨🇭';
    expect(plain(text)).toBe(text);
    expect(plainLine('a\n\tb')).toBe('a␊  b');
  });

  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
    fc
      .array(fc.constantFrom(ESC, '\u009b', '\u202e', '\u200d', '👩', '\ufe0f', '\u{e0067}', '🏴', 'x', '\r'))
      .map((it) => it.join('')),
  );

  test('never comes through, whatever the text (property)', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(plainLine(text).replace(EMOJI, '')).not.toMatch(UNSAFE);
        expect(plain(plain(text))).toBe(plain(text));
      }),
      { numRuns: 2_000 },
    );
  });

  test('as JSON is safe to print and means the same (property)', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const json = plainJson({ text });
        expect(json.replace(EMOJI, '')).not.toMatch(UNSAFE);
        expect(JSON.parse(json)).toEqual({ text });
      }),
      { numRuns: 2_000 },
    );
  });
});
