import { type FileHandle, open, rename, rm, unlink } from 'node:fs/promises';
import { encodeCommit, encodeSegmentHeader, FORMAT_VERSION, SEGMENT_HEADER } from './commit-codec.ts';
import { encodeEntry, type JournalEntry } from './entry.ts';
import { listSegments, segmentPath, syncDirectory, writeFully } from './files.ts';

/** Where the journal stands: the segment that is written to, up to where it is good, and the last good commit. */
export interface JournalEnd {
  readonly segment: number;
  readonly offset: number;
  readonly commit: number;
}

/**
 * The journal being written: one commit at a time, each one write and one fdatasync. After any failure it is unusable;
 * `Journal.resume` at the last good end is the only way on, for what a failed write or sync left behind is not known.
 */
export class Journal {
  readonly #dir: string;
  #file: FileHandle;
  #end: JournalEnd;

  private constructor(dir: string, file: FileHandle, end: JournalEnd) {
    this.#dir = dir;
    this.#file = file;
    this.#end = end;
  }

  get end(): JournalEnd {
    return this.#end;
  }

  /** Begins segment `segment`, whose first commit will be the one after `commit`. */
  static async create(dir: string, segment: number, commit: number): Promise<Journal> {
    return new Journal(dir, await createSegment(dir, segment, commit), { segment, offset: SEGMENT_HEADER, commit });
  }

  /** Goes on at `end`; what stands behind it was never acknowledged and is cut off. */
  static async resume(dir: string, end: JournalEnd): Promise<Journal> {
    const file = await open(segmentPath(dir, end.segment), 'r+');
    try {
      await file.truncate(end.offset);
      await file.datasync();
      return new Journal(dir, file, end);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Makes the entries durable, all or none of them. */
  async commit(entries: readonly JournalEntry[]): Promise<void> {
    const { segment, offset, commit } = this.#end;
    const bytes = encodeCommit(commit + 1, entries.map(encodeEntry));
    await writeFully(this.#file, bytes, offset);
    await this.#file.datasync();
    this.#end = { segment, offset: offset + bytes.length, commit: commit + 1 };
  }

  /** Goes on in a new segment. Where that fails the journal stays as it was. */
  async rotate(): Promise<void> {
    const { segment, commit } = this.#end;
    const next = await createSegment(this.#dir, segment + 1, commit);
    const old = this.#file;
    this.#file = next;
    this.#end = { segment: segment + 1, offset: SEGMENT_HEADER, commit };
    await old.close();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function createSegment(dir: string, segment: number, commit: number): Promise<FileHandle> {
  const path = segmentPath(dir, segment);
  const file = await open(path, 'w');
  try {
    const header = encodeSegmentHeader({ version: FORMAT_VERSION, segment, firstCommit: commit + 1 });
    await writeFully(file, header, 0);
    await file.datasync();
    await syncDirectory(dir);
    return file;
  } catch (error) {
    await file.close();
    await unlink(path).catch(() => {});
    throw error;
  }
}

/** Lets go of the segments before `segment`, whose content is in the archive. Those in `keep` are set aside. */
export async function retireSegments(dir: string, segment: number, keep: ReadonlySet<number>): Promise<void> {
  for (const number of await listSegments(dir)) {
    if (number >= segment) break;
    const path = segmentPath(dir, number);
    await (keep.has(number) ? rename(path, `${path}.damaged`) : rm(path, { force: true }));
  }
  await syncDirectory(dir);
}
