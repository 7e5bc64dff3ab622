const graphemes = new Intl.Segmenter();

/** East Asian wide and full-width forms, and emoji: two columns in a terminal (Unicode TR 11). */
const FORMS =
  '\\u1100-\\u115F\\u2E80-\\uA4CF\\uAC00-\\uD7A3\\uF900-\\uFAFF\\uFE30-\\uFE6F\\uFF00-\\uFF60\\uFFE0-\\uFFE6';
const WIDE = new RegExp(`^(?:\\p{RGI_Emoji}|[${FORMS}])`, 'v');

/** Columns that a plain text takes. */
export function columns(text: string): number {
  // Nearly everything is ASCII, and needs no segmenting.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The beginning of a plain text that fits, with "…" at its end where something is missing. */
export function clip(text: string, width: number): string {
  // No text is looked at further than it can be shown.
  const start = text.slice(0, width * 8);
  if (start.length === text.length && columns(text) <= width) return text;
  let fitting = '';
  let used = 1;
  for (const { segment } of graphemes.segment(start)) {
    used += columns(segment);
    if (used > width) break;
    fitting += segment;
  }
  return width > 0 ? `${fitting}…` : '';
}
