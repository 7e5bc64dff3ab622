import { z } from 'zod';
import { definedBy, extensionOf, headingOf, kindOf } from '../kinds.ts';
import type { Workspace } from '../workspace.ts';
import { place } from './list.ts';
import { type Table, tabulate } from './table.ts';
import { type Coverage, noCoverage, texts } from './texts.ts';

export const statisticsArgs = z.object({ folder: place });
export type StatisticsArgs = z.infer<typeof statisticsArgs>;

export interface TypeCount {
  /** Extension; empty for files without one. */
  readonly type: string;
  files: number;
  lines: number;
  bytes: number;
}

export interface FileSize {
  readonly path: string;
  readonly lines: number;
  readonly bytes: number;
}

export interface Statistics {
  readonly lines: number;
  readonly words: number;
  readonly headings: number;
  readonly definitions: number;
  /** Most lines first. */
  readonly types: readonly Readonly<TypeCount>[];
  readonly largest: readonly FileSize[];
  readonly tables: readonly Table[];
  readonly looked: Coverage;
}

const MAX = { types: 20, largest: 5, tables: 10 };

/** Counts what can be counted in the text files of a folder. */
export async function statistics(
  workspace: Workspace,
  { folder }: StatisticsArgs,
  signal: AbortSignal,
): Promise<Statistics> {
  const looked = noCoverage();
  const types = new Map<string, TypeCount>();
  const sizes: FileSize[] = [];
  const tables: Table[] = [];
  const total = { lines: 0, words: 0, headings: 0, definitions: 0 };
  for await (const { path, lines, bytes } of texts(workspace, folder, signal, looked)) {
    const kind = kindOf(path);
    const type = extensionOf(path);
    const count = types.get(type) ?? { type, files: 0, lines: 0, bytes: 0 };
    types.set(type, count);
    count.files++;
    count.lines += lines.length;
    count.bytes += bytes;
    total.lines += lines.length;
    for (const line of lines) {
      total.words += line.match(/\S+/g)?.length ?? 0;
      if (kind === 'document' && headingOf(line)) total.headings++;
      if (kind === 'code' && definedBy(line)) total.definitions++;
    }
    sizes.push({ path, lines: lines.length, bytes });
    const table = kind === 'table' && tables.length < MAX.tables ? tabulate(path, lines) : undefined;
    if (table) tables.push(table);
  }
  return {
    ...total,
    types: [...types.values()].sort((a, b) => b.lines - a.lines).slice(0, MAX.types),
    largest: sizes.sort((a, b) => b.lines - a.lines).slice(0, MAX.largest),
    tables,
    looked,
  };
}
