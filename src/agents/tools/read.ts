import { presentable } from '../presentable.ts';
import type { Workspace } from '../workspace.ts';

export interface ReadArgs {
  readonly path: string;
  /** First line, counted from 1. */
  readonly from?: number;
  /** How many lines at most. */
  readonly count?: number;
}

/** One line of a file, counted from 1. */
export interface Line {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

export interface Passage {
  readonly path: string;
  readonly lines: readonly Line[];
  /** How many lines the file has (or its first mebibyte). */
  readonly total: number;
}

const MAX_LINES = 200;

/** A part of a text file, with the numbers of its lines. */
export async function read(workspace: Workspace, args: ReadArgs, signal: AbortSignal): Promise<Passage> {
  const { path, from = 1, count = MAX_LINES } = args;
  const file = await workspace.read(path, signal);
  const lines = file.lines
    .slice(from - 1, from - 1 + Math.min(count, MAX_LINES))
    .map((text, i) => ({ path: file.path, line: from + i, text: presentable(text) }));
  return { path: file.path, lines, total: file.lines.length };
}
