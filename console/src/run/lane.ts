/** Hues that can be told apart: `--tt-lane-1` … in the token sheet. */
const LANES = 8;

/** The colour of an agent, by its name: the same in every run and on every page. Initials say it, too. */
export function laneOf(name: string): number {
  // FNV-1a: names differ in a letter or two, and should not be neighbours.
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return (((hash ^ (hash >>> 13)) >>> 0) % LANES) + 1;
}

/** `policy-bot` is `PB`, `ServiceNow` is `SN`, `triage` is `TR`. */
export function initialsOf(name: string): string {
  const words = name.match(/\p{Lu}?\p{Ll}+|\p{Lu}+|\p{N}+|\p{Lo}+/gu) ?? ['?'];
  const letters = words.length > 1 ? words.slice(0, 2).map((it) => [...it][0]) : [...(words[0] ?? '')].slice(0, 2);
  return letters.join('').toUpperCase();
}
