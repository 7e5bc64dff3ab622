/**
 * What agents, tools and web pages say must not steer the terminal it is shown in: escape sequences set titles, write the
 * clipboard (OSC 52), hide links behind other text and repaint what stands above; bidirectional overrides and invisible
 * characters make a text read otherwise than it is. Everything of that kind is shown as a visible sign in its place.
 */

/** Controls, formats (bidi, tags, zero width), lone surrogates, separators, and all that is drawn as nothing. */
const HIDDEN = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
// Emoji are tried first: their joiners and flags are of this kind as well, and show. From a string: the flag is newer
// than the language level that this is compiled for.
const PATTERN = new RegExp(`\\p{RGI_Emoji}|${HIDDEN}`, 'gv');
const ONE_HIDDEN = new RegExp(`^${HIDDEN}$`, 'v');

/** Text that is safe to print: line feeds stay, tabs become two spaces, everything else that would not show does. */
export function plain(text: string): string {
  return text.replace(PATTERN, (match) => (ONE_HIDDEN.test(match) ? visible(match) : match));
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plain(text).replaceAll('\n', '␊');
}

/** JSON that is safe to print and means the same: what would not show is written as `\u…`. */
export function plainJson(value: unknown): string {
  return JSON.stringify(value).replace(PATTERN, (match) =>
    ONE_HIDDEN.test(match) ? match.split('').map(escaped).join('') : match,
  );
}

function visible(char: string): string {
  if (char === '\n') return char;
  if (char === '\t') return '  ';
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
