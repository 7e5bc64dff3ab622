import { decodeNamedCharacterReference as table } from 'decode-named-character-reference';
import { expect, test } from 'vitest';
import { decodeNamedCharacterReference as decode } from './entities.ts';

test('names of characters mean what they mean in HTML, and what is no name, or one of another kind, is none', () => {
  const names = ['amp', 'nbsp', 'shy', 'eacute', 'yuml', 'hellip', 'mdash', 'apos', 'rarr', 'omega', 'Dagger', 'THORN'];
  for (const name of names) expect(decode(name), name).toBe(table(name));
  for (const name of ['', '__proto__', 'constructor', 'AMPERSAND', 'nosuch']) expect(decode(name)).toBe(false);
});
