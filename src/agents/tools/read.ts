import { z } from 'zod';
import { presentable } from '../presentable.ts';
import type { Workspace } from '../workspace.ts';
import { place } from './list.ts';

export const readArgs = z.object({
  path: place,
  from: z.int().min(1).exactOptional().describe('First line, counted from 1.'),
  count: z.int().min(1).exactOptional().describe('How many lines at most.'),
});
export type ReadArgs = z.infer<typeof readArgs>;

export interface Passage {
  readonly path: string;
  /** Number of the first of `lines`, counted from 1. */
  readonly from: number;
  /** How many lines the file has (or its first mebibyte). */
  readonly total: number;
  readonly lines: readonly string[];
}

const MAX_LINES = 200;

/** A part of a text file, with the numbers of its lines. */
export async function read(workspace: Workspace, args: ReadArgs, signal: AbortSignal): Promise<Passage> {
  const { path, from = 1, count = MAX_LINES } = args;
  const file = await workspace.read(path, signal);
  const lines = file.lines.slice(from - 1, from - 1 + Math.min(count, MAX_LINES)).map(presentable);
  return { path: file.path, from, total: file.lines.length, lines };
}
