import { expect, test } from 'vitest';
import { english } from './labels.ts';
import { textOf, visible } from './visible.ts';

test.each([
  ['bidi', 'user\u202egnp.exe', 'user<U+202E>gnp.exe'],
  ['escapes', '\u001b[31mred\u0007', '<U+001B>[31mred<U+0007>'],
  ['lines and tabs in a name', 'a\nb\tc', 'a<U+000A>b<U+0009>c'],
  ['zero width and tags', 'se\u200barch\u{e0067}', 'se<U+200B>arch<U+E0067>'],
  ['a lone surrogate', 'a\ud800b', 'a<U+D800>b'],
  ['emoji, which show', '👩‍🔬 ✓ ك', '👩‍🔬 ✓ ك'],
])('names show %s', (_what, name, shown) => {
  expect(visible(name)).toBe(shown);
});

test('values keep their lines; what hides in them shows', () => {
  expect(textOf('a\n\tb\u202e')).toBe('a\n\tb<U+202E>');
  expect(textOf({ a: '\u2066x' })).toBe('{\n  "a": "<U+2066>x"\n}');
});

test.each([
  [0, '0 s'],
  [440, '0.4 s'],
  [12_300, '12 s'],
  [60_000, '1 min'],
  [72_000, '1 min 12 s'],
  [3_600_000, '1 h'],
  [4_500_000, '1 h 15 min'],
])('%d ms is "%s"', (ms, text) => {
  expect(english.duration(ms, 'en')).toBe(text);
});

test('money of less than a cent is not nothing; numbers follow the locale', () => {
  expect(english.money(0.0042, 'USD', 'en')).toBe('$0.0042');
  expect(english.money(1234.5, 'EUR', 'de')).toBe('1.234,50\u00a0€');
  expect(english.live(4182, 3_000, 'en')).toBe('Live · 4,182 events · last 3 s ago');
  expect(english.thinking('completed', undefined, 1, 'en')).toBe('Thinking finished · 1 tool');
});
