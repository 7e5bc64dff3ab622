/**
 * What a name may not do to the page, or to whatever it is copied to: move a cursor (C0, C1), turn the text around it (bidi
 * controls: "Trojan Source", CVE-2021-42574), or hide (all that is drawn as nothing).
 */
const HIDDEN = '[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]';
// Emoji are tried first: their joiners are of this kind as well, and show. From a string: the flag is newer than the
// language level that this is compiled for.
const PATTERN = new RegExp(`\\p{RGI_Emoji}|${HIDDEN}`, 'gv');
const ONE_HIDDEN = new RegExp(`^${HIDDEN}$`, 'v');

/**
 * The text, with characters that nobody sees written as what they are.
 *
 * @param isBlock keeps line breaks and tabs.
 *
 * @example
 * visible('user\u202Egnp.exe'); // 'user<U+202E>gnp.exe'
 */
export function visible(text: string, isBlock = false): string {
  return text.replace(PATTERN, (it) => {
    if (!ONE_HIDDEN.test(it) || (isBlock && (it === '\n' || it === '\t'))) return it;
    // By number: few fonts of pages have the pictures of control characters.
    return `<U+${(it.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}

/** A value from the log as text: strings as they are, anything else as JSON. */
export function textOf(value: unknown): string {
  return visible(typeof value === 'string' ? value : (JSON.stringify(value, null, 2) ?? ''), true);
}
