/** Opens a store's directory: archive, then journal, then whatever has to be set right before anything is served. */
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomId, TelltaleError } from '../../protocol/index.ts';
import { isAlive, type RunRecord } from '../index.ts';
import { Archive } from './archive.ts';
import { checkpoint } from './checkpoint.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { diskError } from './disk-error.ts';
import { syncDirectory } from './files.ts';
import { Journal, retireSegments } from './journal.ts';
import { isOpenList, placeOf, runKey } from './keys.ts';
import { Layer } from './layer.ts';
import { type LostEnd, rebuildArchive, renewed } from './repair.ts';
import { type Replay, replayJournal } from './replay.ts';
import type { StoredRun } from './stored.ts';
import { disarmTable } from './table-file.ts';
import { noteOpen } from './unclean.ts';

export interface Recovered {
  readonly archive: Archive;
  readonly journal: Journal;
  /** What is in the journal only. */
  readonly layer: Layer;
  readonly incarnations: readonly string[];
  /** Open runs with a lease: executors that held one are gone, remote producers need not be. */
  readonly leased: readonly RunRecord[];
  /** Runs that had ended, but whose end is lost. */
  readonly lostEnds: readonly LostEnd[];
}

/**
 * @param damage what is known to be wrong with the archive, if something is: it is then repaired in any case.
 * @throws {TelltaleError} `store_locked`, `store_version`, `store_damaged`, `storage_full`, `log_unavailable`.
 */
export async function recover(dir: string, tell: (damage: Damage) => void, damage?: string): Promise<Recovered> {
  const journalDir = join(dir, 'journal');
  try {
    await mkdir(journalDir, { recursive: true });
    const depth = (await noteOpen(dir)) ? 'all' : 'frame';
    const { archive, openRuns, lostEnds, rebuilt } = await openArchive(join(dir, 'index'), tell, depth, damage);
    try {
      const replay = await replayJournal(journalDir, archive, tell);
      if (!archive.marker && replay.end && replay.end.commit > 0) {
        tell({ where: join(dir, 'index'), what: 'The index is gone; only what the journal holds is left' });
      }
      const settled = await settle(journalDir, archive, replay, rebuilt);
      const leased = await leasedRuns(archive, settled.layer, openRuns);
      return { archive, ...settled, leased, lostEnds: [...lostEnds, ...replay.lostEnds] };
    } catch (error) {
      await archive.close();
      throw error;
    }
  } catch (error) {
    throw diskError(error);
  }
}

interface OpenedArchive {
  readonly archive: Archive;
  readonly openRuns: readonly string[];
  readonly lostEnds: readonly LostEnd[];
  readonly rebuilt: boolean;
}

async function openArchive(
  dir: string,
  tell: (damage: Damage) => void,
  depth: 'frame' | 'all',
  damage?: string,
): Promise<OpenedArchive> {
  await finishSwap(dir);
  const damaged = damage ?? ((await disarm(dir, depth, tell)) ? 'a table is not as it was written' : undefined);
  const checked = damaged ?? (await openChecked(dir).catch(damageIn));
  if (typeof checked === 'object') return { ...checked, lostEnds: [], rebuilt: false };

  tell({ where: dir, what: `The index is damaged (${checked}); what is sound in it is copied, the rest kept aside` });
  try {
    return { ...(await rebuildCopy(dir, tell)), rebuilt: true };
  } catch (cause) {
    if (cause instanceof TelltaleError || diskError(cause).code === 'storage_full') throw cause;
    throw new TelltaleError(
      'store_damaged',
      `The index in ${dir} cannot be read or repaired. Move ${dir} away to go on with what the journal beside it holds.`,
      { dir },
      { cause },
    );
  }
}

/** Puts a rebuilt copy in the archive's place; `finishSwap` knows every state that a crash can leave behind. */
async function rebuildCopy(dir: string, tell: (damage: Damage) => void): Promise<Omit<OpenedArchive, 'rebuilt'>> {
  await disarm(dir, 'all', tell);
  const copy = await Archive.salvage(dir, newDirOf(dir));
  const lostEnds = await rebuildArchive(copy, tell).finally(() => copy.close());
  await rm(`${dir}.damaged`, { recursive: true, force: true });
  await rename(dir, `${dir}.damaged`);
  await finishSwap(dir);
  const archive = await Archive.open(dir);
  const openRuns: string[] = [];
  await archive.sumUp((key) => isOpenList(key) && openRuns.push(placeOf(key).runId));
  return { archive, openRuns, lostEnds };
}

/** Tables of so many bytes are checked whole at every start, which takes a fraction of a second; larger ones if need be. */
const SMALL_INDEX = 64 * 1024 * 1024;

/** True where LevelDB's tables lost data. What is wrong in them is an error for LevelDB from then on, not an abort. */
async function disarm(dir: string, depth: 'frame' | 'all', tell: (damage: Damage) => void): Promise<boolean> {
  const tables = (await readdir(dir).catch(() => [])).filter((name) => name.endsWith('.ldb'));
  const sizes = await Promise.all(tables.map(async (name) => (await stat(join(dir, name))).size));
  const isSmall = sizes.reduce((sum, size) => sum + size, 0) <= SMALL_INDEX;
  let damaged = false;
  for (const name of tables) {
    const where = join(dir, name);
    const state = await disarmTable(where, isSmall ? 'all' : depth);
    if (state === 'damaged') damaged = true;
    if (state === 'filter')
      tell({ where, what: 'The filter of this table is wrong; it is read without, nothing is lost' });
  }
  return damaged;
}

const newDirOf = (dir: string): string => `${dir}.new`;

/** A copy beside the archive is unfinished; one without it is complete, for the old one goes only then. */
async function finishSwap(dir: string): Promise<void> {
  if (await exists(dir)) await rm(newDirOf(dir), { recursive: true, force: true });
  else if (await exists(newDirOf(dir))) await rename(newDirOf(dir), dir);
  await syncDirectory(dirname(dir));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** What LevelDB says is wrong; throws what is no damage. */
function damageIn(error: unknown): string {
  const { code, message } = diskError(error);
  if (error instanceof TelltaleError || code === 'storage_full') throw error;
  return message;
}

/** The archive, if all its small records are there; else why not. */
async function openChecked(dir: string): Promise<{ archive: Archive; openRuns: string[] } | string> {
  // Without its CURRENT file LevelDB begins anew, and deletes the tables it finds.
  const names = await readdir(dir).catch(() => []);
  const hasCurrent = await exists(join(dir, 'CURRENT'));
  if (!hasCurrent && names.some((name) => /\.(ldb|log)$|^MANIFEST/.test(name))) return 'CURRENT is missing';

  const archive = await Archive.open(dir);
  try {
    const openRuns: string[] = [];
    const small = await archive.sumUp((key) => isOpenList(key) && openRuns.push(placeOf(key).runId));
    const expected = archive.marker?.small ?? { count: 0, sum: 0 };
    if (small?.count === expected.count && small.sum === expected.sum) return { archive, openRuns };
  } catch (error) {
    await archive.close();
    throw error;
  }
  await archive.close();
  return 'records are lost or wrong';
}

/** Makes the directory one that can be written to again. */
async function settle(
  dir: string,
  archive: Archive,
  replay: Replay,
  rebuilt: boolean,
): Promise<Pick<Recovered, 'journal' | 'layer' | 'incarnations'>> {
  const { end, layer, lossy, damaged } = replay;
  const marker = archive.marker;
  if (!marker && !end) {
    // The segment first: a marker that names one which is not there tells of loss.
    const journal = await Journal.create(dir, 1, 0);
    const incarnations = [randomId(16)];
    await archive.write([], { version: FORMAT_VERSION, incarnations, segment: 1, commit: 0 });
    return { journal, layer, incarnations };
  }
  const lost = lossy || !marker;
  if (marker && !lost && !rebuilt && end) {
    await retireSegments(dir, marker.segment, damaged);
    return { journal: await Journal.resume(dir, end), layer, incarnations: marker.incarnations };
  }
  const { incarnations } = rebuilt && marker ? marker : renewed(marker);
  const segment = Math.max(end?.segment ?? 0, marker?.segment ?? 0) + 1;
  const commit = Math.max(end?.commit ?? 0, marker?.commit ?? 0);
  const journal = await Journal.create(dir, segment, commit);
  try {
    await checkpoint(archive, layer, { version: FORMAT_VERSION, incarnations, segment, commit });
    await retireSegments(dir, segment, damaged);
  } catch (error) {
    await journal.close();
    throw error;
  }
  return { journal, layer: new Layer(), incarnations };
}

async function leasedRuns(archive: Archive, layer: Layer, archived: readonly string[]): Promise<RunRecord[]> {
  const unnamed = archived.filter((runId) => !layer.runs.has(runId));
  const stored = await archive.getMany<StoredRun>(unnamed.map(runKey));
  const runs = [...layer.runs.values(), ...stored.flatMap((run) => run?.record ?? [])];
  return runs
    .filter(isAlive)
    .filter(({ leased, leaseMs, last }) => (leased || leaseMs !== undefined) && last === undefined);
}
