/** Reads the journal back: what was committed after the archive was last written. */
import { readFile, unlink } from 'node:fs/promises';
import { type Block, TelltaleError } from '../../protocol/index.ts';
import type { KnownRun } from '../index.ts';
import type { Archive } from './archive.ts';
import { decodeSegmentHeader, type Finding, FORMAT_VERSION, readCommits, SEGMENT_HEADER } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { isBatch, isErasure, type JournalEntry } from './entry.ts';
import { listSegments, segmentPath } from './files.ts';
import type { JournalEnd } from './journal.ts';
import { threadKey } from './keys.ts';
import { Layer } from './layer.ts';
import type { LostEnd } from './repair.ts';
import type { StoredThread } from './stored.ts';

export interface Replay {
  readonly layer: Layer;
  /** Where to go on; `undefined` where there is no segment to go on in. */
  readonly end: JournalEnd | undefined;
  /** Segments in which something was lost. */
  readonly damaged: ReadonlySet<number>;
  /** Something that was acknowledged may be missing. */
  readonly lossy: boolean;
  /** Runs whose end was seen, but did not join on to what survived. */
  readonly lostEnds: readonly LostEnd[];
}

/** @param tell is told of everything that is not as it was written. */
export async function replayJournal(dir: string, archive: Archive, tell: (damage: Damage) => void): Promise<Replay> {
  return new Replayer(dir, archive, tell).run();
}

class Replayer {
  readonly #dir: string;
  readonly #archive: Archive;
  readonly #tell: (damage: Damage) => void;
  readonly #layer = new Layer();
  readonly #damaged = new Set<number>();
  readonly #lostEnds: LostEnd[] = [];
  #lossy = false;
  /** The last commit that is accounted for; unknown until the first segment where the archive lost its marker. */
  #commit: number | undefined;
  readonly #dropped = new Set<string>();
  #end: JournalEnd | undefined;

  constructor(dir: string, archive: Archive, tell: (damage: Damage) => void) {
    this.#dir = dir;
    this.#archive = archive;
    this.#tell = tell;
    if (archive.marker?.segment) this.#commit = archive.marker.commit;
  }

  async run(): Promise<Replay> {
    const expected = this.#archive.marker?.segment ?? 0;
    const segments = (await listSegments(this.#dir)).filter((segment) => segment >= expected);
    if (expected > 0 && segments[0] !== expected) this.#lose(expected, 'is missing; what it held is lost');
    for (const [i, segment] of segments.entries()) {
      const next = segments[i + 1];
      await this.#segment(segment, next === undefined);
      if (next !== undefined && next !== segment + 1) this.#lose(segment + 1, 'is missing; what it held is lost');
    }
    return {
      layer: this.#layer,
      end: this.#end,
      damaged: this.#damaged,
      lossy: this.#lossy,
      lostEnds: this.#lostEnds,
    };
  }

  async #segment(segment: number, isLast: boolean): Promise<void> {
    const path = segmentPath(this.#dir, segment);
    const bytes = await readFile(path);
    // The first commit goes in only after the header is on the disk: a segment without one was never used.
    if (isLast && bytes.length < SEGMENT_HEADER) return unlink(path);
    const header = decodeSegmentHeader(bytes);
    if (header && header.version > FORMAT_VERSION) {
      throw new TelltaleError('store_version', `${path} has format ${header.version}; this is ${FORMAT_VERSION}.`);
    }
    if (header?.segment !== segment) this.#lose(segment, 'has a damaged header');
    else {
      this.#commit ??= header.firstCommit - 1;
      if (header.firstCommit !== this.#commit + 1) {
        this.#lose(segment, `begins with commit ${header.firstCommit} where ${this.#commit + 1} comes next`);
      }
    }
    let offset = Math.min(SEGMENT_HEADER, bytes.length);
    for (const finding of readCommits(bytes)) {
      if (finding.kind === 'torn') {
        if (!isLast) this.#lose(segment, `ends in the middle of a commit, at byte ${finding.from}`);
        break;
      }
      offset = finding.end;
      if (finding.kind === 'damage') this.#lose(segment, `is unreadable from byte ${finding.from} to ${finding.end}`);
      else await this.#commitFound(segment, finding);
    }
    this.#end = { segment, offset, commit: this.#commit ?? 0 };
  }

  async #commitFound(segment: number, { number, entries, whole }: Finding & { kind: 'commit' }): Promise<void> {
    if (number !== (this.#commit ?? number - 1) + 1) this.#lose(segment, `lacks the commits before ${number}`);
    if (!whole) this.#lose(segment, `has lost a part of commit ${number}`);
    this.#commit = number;
    const heads = await this.#heads(entries);
    for (const entry of entries) {
      // Whatever else was lost: what was erased stays so.
      if (isErasure(entry)) {
        this.#layer.add(entry);
        continue;
      }
      const { threadId } = entry;
      const last = (this.#layer.threads.get(threadId) ?? heads.get(threadId))?.head.last ?? 0;
      if (isBatch(entry) ? entry.block.first === last + 1 : entry.head.last === last) this.#layer.add(entry);
      // Behind `last` only where the archive lost its marker, so that old segments were read again.
      else if (isBatch(entry) && entry.block.last > last) this.#drop(segment, entry.block, entry.commit.run);
    }
  }

  /** The archive's heads of threads that the journal has not named yet. */
  async #heads(entries: readonly JournalEntry[]): Promise<Map<string, StoredThread>> {
    const unknown = new Set(entries.map(({ threadId }) => threadId).filter((id) => !this.#layer.threads.has(id)));
    const ids = [...unknown];
    const heads = await this.#archive.getMany<StoredThread>(ids.map(threadKey));
    return new Map(ids.flatMap((id, i) => (heads[i] ? [[id, heads[i]]] : [])));
  }

  #drop(segment: number, { first }: Block, { threadId, runId, last }: KnownRun): void {
    if (!this.#dropped.has(threadId)) {
      this.#dropped.add(threadId);
      this.#lose(segment, `holds event ${first} of thread ${threadId}, but not what came before it`);
    }
    if (last !== undefined) this.#lostEnds.push({ threadId, runId });
  }

  #lose(segment: number, what: string): void {
    this.#lossy = true;
    this.#damaged.add(segment);
    this.#tell({ where: segmentPath(this.#dir, segment), what: `The journal segment ${what}` });
  }
}
