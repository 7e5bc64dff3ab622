import type { TextFile, Workspace } from '../workspace.ts';

/** What a tool looked at, told with its result so that nobody takes a part for the whole. */
export interface Coverage {
  /** Text files read. */
  files: number;
  bytes: number;
  /** Files that are not text, or could not be opened. */
  unread: number;
  /** Which limit ended the search before its end. */
  stoppedAt?: 'files' | 'bytes' | 'time';
}

const MAX = { files: 5_000, bytes: 32 * 1024 * 1024, milliseconds: 10_000 };

/** The text files below a folder, one after the other, within fixed limits; what happened is noted in `coverage`. */
export async function* texts(
  workspace: Workspace,
  folder: string,
  signal: AbortSignal,
  coverage: Coverage,
  wanted: (path: string) => boolean = () => true,
): AsyncGenerator<TextFile & { readonly bytes: number }, void, void> {
  const end = performance.now() + MAX.milliseconds;
  for await (const entry of workspace.walk(folder, signal)) {
    if (entry.kind !== 'file' || !wanted(entry.path)) continue;
    if (coverage.files >= MAX.files) coverage.stoppedAt = 'files';
    else if (coverage.bytes >= MAX.bytes) coverage.stoppedAt = 'bytes';
    else if (performance.now() > end) coverage.stoppedAt = 'time';
    if (coverage.stoppedAt) return;
    const file = await workspace.read(entry.path, signal).catch((error) => {
      if (signal.aborted) throw error;
    });
    if (!file) {
      coverage.unread++;
      continue;
    }
    coverage.files++;
    coverage.bytes += entry.bytes;
    yield { ...file, bytes: entry.bytes };
  }
}

export const noCoverage = (): Coverage => ({ files: 0, bytes: 0, unread: 0 });
