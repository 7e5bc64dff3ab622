import { z } from 'zod';
import type { Workspace } from '../workspace.ts';

/** A path of the workspace, as tools take it. The workspace decides whether it may be read. */
export const place = z.string().min(1).describe('A folder or file, relative to the workspace; "." is all.');

export const listArgs = z.object({ folder: place });
export type ListArgs = z.infer<typeof listArgs>;

export interface Listing {
  readonly folder: string;
  readonly files: number;
  readonly bytes: number;
  /** The first of them. */
  readonly entries: readonly { readonly path: string; readonly bytes: number }[];
  /** Named but not entered or read: folders that are not the author's, links, and what holds secrets by its name. */
  readonly leftOut: readonly string[];
  /** There are more files than were counted. */
  readonly truncated?: true;
}

const MAX = { counted: 20_000, named: 500, leftOut: 20 };

/** What is there, with sizes. */
export async function list(workspace: Workspace, { folder }: ListArgs, signal: AbortSignal): Promise<Listing> {
  const entries: { path: string; bytes: number }[] = [];
  const leftOut: string[] = [];
  let files = 0;
  let bytes = 0;
  for await (const entry of workspace.walk(folder, signal)) {
    if (entry.kind !== 'file') {
      if (leftOut.length < MAX.leftOut) leftOut.push(entry.path);
      continue;
    }
    if (files === MAX.counted) return { folder, files, bytes, entries, leftOut, truncated: true };
    files++;
    bytes += entry.bytes;
    if (entries.length < MAX.named) entries.push({ path: entry.path, bytes: entry.bytes });
  }
  return { folder, files, bytes, entries, leftOut };
}
