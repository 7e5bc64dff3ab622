/**
 * Blocks as the archive gets them. A slow run leaves a small block at each of many checkpoints; when it has ended they
 * become few large ones, in the same synced write that stores its end: numbers and events stay as they are.
 */
import type { Block } from '../../protocol/index.ts';
import { mergeBlocks } from '../index.ts';
import type { Archive, Change } from './archive.ts';
import type { BatchEntry } from './entry.ts';
import { blockKey } from './keys.ts';
import type { Layer } from './layer.ts';
import { seal, unseal } from './sealed.ts';
import { type BlockImages, decodeImages, decodeStoredBlock, encodeStoredBlock } from './stored.ts';

/** Large enough that a read is few look-ups, small enough that one look-up is not much. */
const BLOCK_BYTES = 64 * 1024;
/** So much is repacked of one thread in one checkpoint, which waits in memory until it is written. The rest stays small. */
const REPACK_BYTES = 8 * 1024 * 1024;

/** A block, and under which key the archive has it already. */
interface Piece {
  readonly block: Block;
  readonly images: BlockImages;
  readonly key?: string;
}

/** Where the oldest of a thread's runs begins that ended in this layer and have blocks in the archive. */
export function repackFrom(layer: Layer): ReadonlyMap<string, number> {
  const from = new Map<string, number>();
  for (const run of layer.runs.values()) {
    const { threadId, first, last } = run;
    // Blocks from which something is being erased have changes of their own.
    if (layer.erased.has(threadId)) continue;
    const fresh = layer.batches.get(threadId)?.[0]?.block.first ?? 0;
    if (last === undefined || first >= fresh) continue;
    // What was forgotten may still be there; it must not come to stand in a block that stays.
    const kept = layer.threads.get(threadId)?.head.first ?? first;
    from.set(threadId, Math.max(kept, Math.min(first, from.get(threadId) ?? first)));
  }
  return from;
}

/** The changes that store a thread's new batches, each group of pieces as one block. `from`: with the archive's since then. */
export async function* blockChanges(
  archive: Archive,
  threadId: string,
  batches: readonly BatchEntry[],
  from: number | undefined,
): AsyncGenerator<Change> {
  let group: Piece[] = [];
  let size = 0;
  for await (const piece of pieces(archive, threadId, batches, from)) {
    const { first, epoch, bytes } = piece.block;
    const previous = group.at(-1)?.block;
    // A gap is where the archive is damaged, or more is to be repacked than is done at once.
    const joins = previous && previous.epoch === epoch && previous.last + 1 === first;
    if (previous && (!joins || size + bytes.length > BLOCK_BYTES)) {
      yield* groupChanges(threadId, group);
      group = [];
      size = 0;
    }
    group.push(piece);
    size += bytes.length;
  }
  if (group.length > 0) yield* groupChanges(threadId, group);
}

async function* pieces(
  archive: Archive,
  threadId: string,
  batches: readonly BatchEntry[],
  from: number | undefined,
): AsyncGenerator<Piece> {
  const [fresh] = batches;
  if (fresh && from !== undefined) {
    let size = 0;
    const end = blockKey(threadId, fresh.block.first);
    for await (const [key, sealed] of archive.entries(blockKey(threadId, from - 1), end)) {
      const opened = unseal(key, sealed);
      if (!opened) continue;
      const block = decodeStoredBlock(opened);
      if (block.bytes.length > BLOCK_BYTES / 2) continue;
      size += block.bytes.length;
      if (size > REPACK_BYTES) break;
      yield { key, block, images: decodeImages(opened) };
    }
  }
  for (const { commit, incarnation, block } of batches) {
    const { head, run, producer, once } = commit;
    const thread = { head, incarnation };
    const producers = producer ? [[run.runId, producer] as const] : [];
    yield { block, images: { thread, runs: [run], producers, once: once ? [once] : [] } };
  }
}

function* groupChanges(threadId: string, group: readonly Piece[]): Generator<Change> {
  const [front] = group as [Piece];
  if (group.length === 1 && front.key !== undefined) return;
  const block = group.length === 1 ? front.block : mergeBlocks(group.map((piece) => piece.block));
  const key = blockKey(threadId, block.last);
  const images = group.map((piece) => piece.images);
  const merged: BlockImages = {
    thread: images[images.length - 1]!.thread,
    runs: [...new Map(images.flatMap(({ runs }) => runs.map((run) => [run.runId, run]))).values()],
    producers: images.flatMap(({ producers }) => producers),
    once: images.flatMap(({ once }) => once),
  };
  for (const piece of group) if (piece.key !== undefined && piece.key !== key) yield { type: 'del', key: piece.key };
  yield { type: 'put', key, value: seal(key, encodeStoredBlock(block, merged)) };
}
