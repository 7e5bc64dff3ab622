/** Names whose values are nobody's business. The value needs six characters or more, in quotes or bare to the line's end. */
const SECRET =
  /((?:password|passwd|secret|api[_-]?key|access[_-]?key|auth[_-]?token|private[_-]?key|token)["']?\s*[:=]\s*)(?:"[^"]{6,}(?:"|$)|'[^']{6,}(?:'|$)|[^\s"'`(){}[\];,]{6,}(?=\s*$))/gi;

/** Values that give themselves away: a password in a URL, and the keys of well-known services. */
const KEY =
  /(:\/\/[^\s:/@]{0,64}:)[^\s:/@]{3,}(?=@)|\b(?:sk[-_][\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abprs]-[\w-]{10,}|AKIA[\dA-Z]{16}|AIza[\w-]{30,})/g;

/** Stands where a value was. Quotes end before it, so that they stay true to the file. */
export const HIDDEN = '‹hidden›';

/** So much of a line is looked at: the pattern takes quadratic time on lines that are made for it. */
const LOOKED_AT = 2_000;
const COLUMNS = 400;

/** A line as it may go into the log: its beginning, without what looks like a secret's value. */
export function presentable(line: string): string {
  const named = clip(line, LOOKED_AT).replace(SECRET, `$1${HIDDEN}`);
  return clip(
    named.replace(KEY, (_, before = '') => before + HIDDEN),
    COLUMNS,
  );
}

/** The beginning of a long text, never half of a character. */
export function clip(text: string, columns: number): string {
  return text.length <= columns ? text : text.slice(0, columns).replace(/[\uD800-\uDBFF]$/, '');
}
