import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Piece, Screen } from './screen.ts';
import { clip, columns } from './width.ts';

/** A stream that keeps what is written, as a pipe or as a terminal of some width. */
function sink(terminal?: { columns: number; colours?: boolean }): Writable & { text: string } {
  const out = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        out.text += chunk;
        done();
      },
    }),
    { text: '' },
    terminal && { isTTY: true, columns: terminal.columns, hasColors: () => terminal.colours ?? false },
  );
  return out;
}

const piece = (key: string, text: string, kind: Piece['kind'] = 'text'): Piece => ({
  kind,
  key,
  before: [`${key}: `],
  text,
});

describe('a screen', () => {
  test('in a pipe keeps texts that come at the same time on lines of their own', () => {
    const out = sink();
    const screen = new Screen(out);
    for (const it of [
      piece('a', 'one '),
      piece('b', 'two\nth'),
      piece('a', 'more\n'),
      piece('b', 'ree'),
      piece('b', '', 'end'),
    ]) {
      screen.show(it);
    }
    expect(out.text).toBe('b: two\na: one more\nb: three\n');
  });

  test('on a terminal shows texts as they come, each with its name where it goes on', () => {
    const out = sink({ columns: 80 });
    const screen = new Screen(out);
    screen.show(piece('a', 'one '));
    expect(out.text).toBe('a: one ');
    screen.show(piece('a', 'two'));
    screen.line('fact');
    screen.show(piece('a', ' three'));
    screen.show(piece('a', '', 'end'));
    expect(out.text).toBe('a: one two\nfact\na:  three\n');
  });

  test('puts a character together that came in two halves', () => {
    const out = sink({ columns: 80 });
    const screen = new Screen(out);
    screen.show(piece('a', 'x\ud83d'));
    screen.show(piece('a', '\ude00'));
    screen.show(piece('a', '', 'end'));
    expect(out.text).toBe('a: x😀\n');
  });

  test('cuts lines of facts at the width of the terminal, counted in columns', () => {
    const out = sink({ columns: 12 });
    new Screen(out).line('東京東京', ['東京東京', 'bold'], 'x');
    expect(out.text).toBe('東京東京東…\n');
  });

  test('colours only where the terminal wants them, and never lets a text do it', () => {
    const [plain, coloured] = [sink({ columns: 80 }), sink({ columns: 80, colours: true })];
    for (const out of [plain, coloured]) new Screen(out).line(['\u001b[5mok', 'green']);
    expect(plain.text).toBe('␛[5mok\n');
    expect(coloured.text).toBe('\u001b[32m␛[5mok\u001b[39m\n');
  });

  test('no text fits less than it takes (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (text, width) => {
        const cut = clip(text, width);
        expect(columns(cut)).toBeLessThanOrEqual(width);
        if (columns(text) <= width) expect(cut).toBe(text);
      }),
    );
  });
});
