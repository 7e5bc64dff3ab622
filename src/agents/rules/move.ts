import { clip, HIDDEN } from '../presentable.ts';
import type { Finding, Report } from '../report.ts';
import type { Line } from '../tools/grep.ts';
import type { Listing } from '../tools/list.ts';
import type { Passage } from '../tools/read.ts';
import type { Outcome, ToolCall } from '../tools/toolbox.ts';
import type { Question } from './question.ts';

/** What a specialist is told. */
export interface Brief {
  readonly question: Question;
  readonly listing: {
    readonly folder: string;
    /** The first files in it. */
    readonly entries: readonly Pick<Listing['entries'][number], 'path'>[];
  };
}

/** What to do next: call tools (at the same time), or report. `note` is the reason, for those who watch. */
export type Move =
  | { readonly note: string; readonly calls: readonly ToolCall[] }
  | { readonly note: string; readonly report: Report };

/** How a specialist decides: from its brief and what its calls brought so far to the next move. Pure. */
export type Decide = (brief: Brief, seen: readonly Outcome[]) => Move;

/** The results of one tool so far, failures left out. */
export function results<T extends Outcome['tool']>(
  seen: readonly Outcome[],
  tool: T,
): NonNullable<Extract<Outcome, { tool: T }>['result']>[] {
  return seen.flatMap((it) => (it.tool === tool && it.result ? [it.result] : [])) as never;
}

/** Whether a tool was called at all, with success or without. */
export const tried = (seen: readonly Outcome[], tool: Outcome['tool']): boolean => seen.some((it) => it.tool === tool);

/** What went wrong so far or was not looked at, in plain words: no part shall be taken for the whole. */
export function troubles(seen: readonly Outcome[]): string[] {
  const all = seen.flatMap(({ tool, result, error }) => {
    if (error !== undefined) return [`${tool} did not work: ${error}`];
    const limit = result && 'looked' in result ? result.looked.stoppedAt : undefined;
    return limit === undefined ? [] : [`${tool} stopped at a limit (${limit}): there is more that I did not look at.`];
  });
  return [...new Set(all)];
}

const QUOTE = 160;

/** The lines of passages, each with its place. */
export function linesOf(passages: readonly Passage[]): Line[] {
  return passages.flatMap(({ path, from, lines }) => lines.map((text, i) => ({ path, line: from + i, text })));
}

/** A line as a finding; nothing where there is nothing to quote. */
export function cite({ path, line, text }: Line, why?: string): Finding[] {
  const quote = clip((text.split(HIDDEN)[0] ?? '').trim(), QUOTE).trim();
  return quote === '' ? [] : [{ path, line, quote, ...(why !== undefined && { why }) }];
}

/** "a", "b" and "c" */
export function named(terms: readonly string[]): string {
  const all = terms.map((it) => `“${it}”`);
  return all.length < 2 ? all.join('') : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
}

export const counted = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** The best, best first; of lines that touch each other only the better one, and no more of a file than `perFile`. */
export function best<T extends Line>(
  lines: readonly T[],
  score: (line: T) => number,
  count: number,
  perFile: number = count,
): T[] {
  const ranked = lines.map((line) => ({ line, score: score(line) })).sort((a, b) => b.score - a.score);
  const chosen: T[] = [];
  for (const { line } of ranked) {
    if (chosen.length === count) break;
    const same = chosen.filter((it) => it.path === line.path);
    if (same.length < perFile && !same.some((it) => Math.abs(it.line - line.line) <= 1)) chosen.push(line);
  }
  return chosen;
}
