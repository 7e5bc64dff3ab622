/** What an erased run leaves in the archive: nothing but its tombstone, and numbers without events. */
import { type Tombstone, voidRun } from '../index.ts';
import type { Archive, Change } from './archive.ts';
import { ASIDE, after, blockKey, blocksOf, producersOf, runKey } from './keys.ts';
import { seal, unseal } from './sealed.ts';
import { type BlockImages, decodeImages, decodeStoredBlock, encodeStoredBlock } from './stored.ts';

/** Takes what `eraseBlocks` has superseded out of the files. */
export async function purgeRun(archive: Archive, { runId, threadId, first, last }: Tombstone): Promise<void> {
  let lastBlock = blockKey(threadId, last);
  for await (const key of archive.keys(blockKey(threadId, last - 1), after(blocksOf(threadId)))) {
    lastBlock = key;
    break;
  }
  // "!" sorts before all that ids and numbers hold: no record is at an end.
  await archive.purge([
    [`${blockKey(threadId, first - 1)}!`, `${lastBlock}!`],
    [producersOf(runId), after(producersOf(runId))],
    [`${runKey(runId.slice(0, -1))}!`, `${runKey(runId)}!`],
    [ASIDE, after(ASIDE)],
  ]);
}

/** So much is written at once: the runs between which an erased one had its turns may be any size. */
const SLICE_BYTES = 4 * 1024 * 1024;

/**
 * Erases some runs of one thread, and gives the last of the changes that do so, for the write that stores the tombstones.
 * Whatever is written before it may: readers skip these runs by the tombstones in the journal until then.
 */
export async function eraseBlocks(
  archive: Archive,
  threadId: string,
  tombstones: readonly Tombstone[],
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  let size = 0;
  for await (const change of eraseChanges(archive, threadId, tombstones)) {
    changes.push(change);
    size += change.type === 'put' ? change.value.length : 0;
    if (size < SLICE_BYTES || !archive.marker) continue;
    await archive.write(changes.splice(0), archive.marker);
    size = 0;
  }
  return changes;
}

async function* eraseChanges(
  archive: Archive,
  threadId: string,
  tombstones: readonly Tombstone[],
): AsyncGenerator<Change> {
  const first = Math.min(...tombstones.map((it) => it.first));
  const last = Math.max(...tombstones.map((it) => it.last));
  for await (const [key, sealed] of archive.entries(blockKey(threadId, first - 1), after(blocksOf(threadId)))) {
    const opened = unseal(key, sealed);
    if (!opened) {
      // Whose bytes are in it nobody can tell. Readers find it missing where they would have found it damaged.
      yield { type: 'del', key };
      continue;
    }
    const block = decodeStoredBlock(opened);
    if (block.first > last) break;
    const left = tombstones.reduce((it, { runId }) => voidRun(it, runId), block);
    if (left === block) continue;
    yield {
      type: 'put',
      key,
      value: seal(key, encodeStoredBlock(left, tombstones.reduce(without, decodeImages(opened)))),
    };
  }
  // What was behind damage, of whatever run of the thread: it may be in there.
  for await (const key of archive.keys(ASIDE, after(ASIDE))) {
    if (key.includes(`!${blocksOf(threadId)}`)) yield { type: 'del', key };
  }
  for (const tombstone of tombstones) {
    const producers = producersOf(tombstone.runId);
    for await (const key of archive.keys(producers, after(producers))) yield { type: 'del', key };
  }
}

function without(images: BlockImages, tombstone: Tombstone): BlockImages {
  const { runId } = tombstone;
  return {
    ...images,
    runs: images.runs.map((run) => (run.runId === runId ? tombstone : run)),
    producers: images.producers.filter(([of]) => of !== runId),
  };
}
