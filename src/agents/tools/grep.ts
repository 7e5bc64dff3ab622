import { z } from 'zod';
import { definedBy, FILE_KINDS, kindOf } from '../kinds.ts';
import { presentable } from '../presentable.ts';
import type { Workspace } from '../workspace.ts';
import { place } from './list.ts';
import { type Coverage, noCoverage, texts } from './texts.ts';

export const grepArgs = z.object({
  // Never a pattern: one from a question could take for ever.
  terms: z
    .array(z.string().min(1))
    .min(1)
    .max(60)
    .readonly()
    .describe('Literal beginnings of words, without case. Lines with any of them are found.'),
  folder: place,
  kinds: z.array(z.enum(FILE_KINDS)).readonly().exactOptional().describe('Only these kinds of files.'),
  match: z.literal('definition').exactOptional().describe('Only lines of code that define a name with a term in it.'),
});
export type GrepArgs = z.infer<typeof grepArgs>;

/** One line of a file, counted from 1. */
export interface Line {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export interface Hit extends Line {
  /** Which of the terms stand in it. */
  readonly terms: readonly string[];
}

export interface Hits {
  readonly hits: readonly Hit[];
  /** How many lines were found, also those beyond the hits that are shown. */
  readonly lines: number;
  /** The same, of each term. */
  readonly counts: Readonly<Record<string, number>>;
  readonly looked: Coverage;
}

const MAX = { perFile: 12, hits: 120, column: 2_000 };

/** The lines in which terms stand. Time is linear in what is read. */
export async function grep(workspace: Workspace, args: GrepArgs, signal: AbortSignal): Promise<Hits> {
  const terms = args.terms.map((it) => it.toLowerCase());
  const counts: Record<string, number> = Object.fromEntries(terms.map((it) => [it, 0]));
  const hits: Hit[] = [];
  let lines = 0;
  const looked = noCoverage();
  const wanted = (path: string) => !args.kinds || args.kinds.includes(kindOf(path));
  for await (const file of texts(workspace, args.folder, signal, looked, wanted)) {
    let ofFile = 0;
    for (const [index, text] of file.lines.entries()) {
      // Longer lines are made by programs; a match far to the right could not be shown either.
      const line = text.slice(0, MAX.column);
      const lower = line.toLowerCase();
      const name = args.match === 'definition' ? (definedBy(line)?.toLowerCase() ?? '') : undefined;
      const found = terms.filter((term) => (name === undefined ? stands(line, lower, term) : name.includes(term)));
      if (found.length === 0) continue;
      lines++;
      for (const term of found) counts[term] = (counts[term] ?? 0) + 1;
      if (hits.length >= MAX.hits || ofFile++ >= MAX.perFile) continue;
      hits.push({ path: file.path, line: index + 1, text: presentable(text), terms: found });
    }
  }
  return { hits, lines, counts, looked };
}

/**
 * Whether `term` begins a word of `line`; "Cursor" begins one in "formatCursor" as well. Terms that begin with
 * a sign, as "@ts-expect-error", begin anywhere.
 */
function stands(line: string, lower: string, term: string): boolean {
  for (let at = lower.indexOf(term); at >= 0; at = lower.indexOf(term, at + 1)) {
    if (!LETTER.test(term) || !LETTER.test(line[at - 1] ?? '') || isHump(line, at)) return true;
  }
  return false;
}

/** At the beginning of a string. */
const LETTER = /^[\p{L}\p{N}]/u;

const isHump = (line: string, at: number): boolean => /^\p{Ll}\p{Lu}/u.test(line.slice(at - 1, at + 1));
