/** Rebuilds every record of the archive, after some were found to be lost or wrong. */
import { randomId } from '../../protocol/index.ts';
import type { Archive, Change } from './archive.ts';
import { runChange } from './checkpoint.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { after, BLOCKS, RUNS, SMALL, THREADS, threadKey } from './keys.ts';
import { rebuildThread } from './rebuild.ts';
import { checksumOf, sealJson, unsealJson } from './sealed.ts';
import type { Marker, StoredRun, StoredThread } from './stored.ts';

export interface LostEnd {
  readonly threadId: string;
  readonly runId: string;
}

/**
 * Holds all small records in memory and writes them at once, so that a crash in between leaves the damage as it was
 * found. The store has a new incarnation after it: each thread a new epoch, from the last number that survived.
 */
export async function rebuildArchive(archive: Archive, tell: (damage: Damage) => void): Promise<LostEnd[]> {
  const { threads, runs, small } = await readRecords(archive);
  const named = [...(await threadsWithBlocks(archive)), ...runs.keys()];
  for (const threadId of named) if (!threads.has(threadId)) threads.set(threadId, undefined);

  const changes: Change[] = [];
  const records = new Map<string, Buffer>();
  const lostEnds: LostEnd[] = [];
  for (const [threadId, known] of threads) {
    const rebuilt = await rebuildThread(archive, threadId, known, runs.get(threadId) ?? []);
    changes.push(...rebuilt.changes);
    if (rebuilt.thread) records.set(threadKey(threadId), sealJson(threadKey(threadId), rebuilt.thread));
    for (const [key, seq] of rebuilt.once) records.set(key, sealJson(key, seq));
    for (const run of rebuilt.runs) {
      for (const change of runChange(undefined, run)) if (change.type === 'put') records.set(change.key, change.value);
    }
    for (const runId of rebuilt.lostEnds) lostEnds.push({ threadId, runId });
    if (rebuilt.cutAfter !== undefined || !rebuilt.thread) {
      const ends = rebuilt.thread ? `ends after event ${rebuilt.cutAfter}` : 'is lost';
      tell({ where: `thread ${threadId}`, what: `The thread ${ends}; what could be saved is kept aside` });
    }
  }
  for (const key of small) if (!records.has(key)) changes.push({ type: 'del', key });
  for (const [key, value] of records) changes.push({ type: 'put', key, value });
  const sum = [...records.values()].reduce((total, value) => (total + checksumOf(value)) >>> 0, 0);
  await archive.write(changes, renewed(archive.marker), { count: records.size, sum });
  return lostEnds;
}

/** The marker of the next incarnation. Where the old one is lost, the journal is read from its oldest segment on. */
export function renewed(marker: Marker | undefined): Omit<Marker, 'small'> {
  const { version = FORMAT_VERSION, incarnations = [], segment = 0, commit = 0 } = marker ?? {};
  return { version, incarnations: [...incarnations, randomId(16)], segment, commit };
}

async function readRecords(archive: Archive): Promise<{
  threads: Map<string, StoredThread | undefined>;
  runs: Map<string, StoredRun[]>;
  small: string[];
}> {
  const threads = new Map<string, StoredThread | undefined>();
  const runs = new Map<string, StoredRun[]>();
  const small: string[] = [];
  for await (const [key, sealed] of archive.entries(SMALL, after(SMALL))) {
    small.push(key);
    if (key.startsWith(THREADS)) {
      const thread = unsealJson<StoredThread>(key, sealed);
      if (thread) threads.set(key.slice(THREADS.length), thread);
    } else if (key.startsWith(RUNS)) {
      const run = unsealJson<StoredRun>(key, sealed);
      const known = run && runs.get(run.record.threadId);
      if (known) known.push(run);
      else if (run) runs.set(run.record.threadId, [run]);
    }
  }
  return { threads, runs, small };
}

async function threadsWithBlocks(archive: Archive): Promise<Set<string>> {
  const threads = new Set<string>();
  for await (const key of archive.keys(BLOCKS, after(BLOCKS))) {
    const threadId = key.split('!')[1];
    if (threadId !== undefined) threads.add(threadId);
  }
  return threads;
}
