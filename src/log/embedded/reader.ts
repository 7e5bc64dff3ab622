import { type Block, type Head, TelltaleError } from '../../protocol/index.ts';
import { blockAfter, indexAfter, mergeBlocks, type Page, pageBytes } from '../index.ts';
import type { Store } from './store.ts';

/**
 * One page of a thread: blocks of the archive first, then those in memory, each joining on to the one before.
 *
 * @throws {TelltaleError} `thread_not_found`; `store_damaged` where a block is missing or wrong.
 */
export async function readPage(store: Store, threadId: string, after: number, bytes: number): Promise<Page> {
  for (;;) {
    const page = await tryReadPage(store, threadId, after, bytes);
    if (page) return page;
  }
}

/** `undefined` where the archive changed while it was looked at. */
async function tryReadPage(store: Store, threadId: string, after: number, bytes: number): Promise<Page | undefined> {
  const { generation } = store;
  const known = await headOf(store, threadId);
  const from = Math.max(after, known.first - 1);
  if (from >= known.last) return { head: known, blocks: [] };

  const inMemory = firstInMemory(store, threadId);
  const archived = from + 1 < inMemory ? await store.archive.blocks(threadId, from, bytes) : [];
  let size = 0;
  let last = from;
  for (const block of archived) {
    last = block.last;
    size += pageBytes(block);
  }
  // From here on nothing waits: head and memory are those of one moment.
  if (generation !== store.generation) return undefined;
  const head = store.headInMemory(threadId) ?? known;
  const blocks = archived.map((block) => store.layers.reduce((left, it) => it.withoutErased(threadId, left), block));
  // The archive ends where memory begins, or where the page is full.
  if (size < bytes && last + 1 < Math.min(inMemory, head.last + 1)) {
    if (last > from) return clip(head, blocks, from);
    throw new TelltaleError('store_damaged', `Event ${last + 1} of thread ${threadId} is damaged`, { threadId });
  }
  if (size < bytes) blocks.push(...memoryBlocks(store, threadId, last, bytes - size));
  return clip(head, blocks, from);
}

async function headOf(store: Store, threadId: string): Promise<Head> {
  const head = store.headInMemory(threadId) ?? (await store.head(threadId));
  if (head) return head;
  throw new TelltaleError('thread_not_found', `There is no thread ${threadId}.`, { threadId });
}

/** Strictly what comes after `from`. */
function clip(head: Head, blocks: readonly Block[], from: number): Page {
  return { head, blocks: blocks.map((block) => blockAfter(block, from)) };
}

function firstInMemory(store: Store, threadId: string): number {
  let first = Number.POSITIVE_INFINITY;
  for (const layer of store.layers) first = Math.min(first, layer.batches.get(threadId)?.[0]?.block.first ?? first);
  return first;
}

/** Blocks in memory that go on after `last`, small neighbours as one: a reader gets few large pieces. */
function memoryBlocks(store: Store, threadId: string, last: number, bytes: number): Block[] {
  const merged: Block[] = [];
  let run: Block[] = [];
  let size = 0;
  for (const layer of [...store.layers].reverse()) {
    const batches = layer.batches.get(threadId) ?? [];
    for (let i = indexAfter(batches, last, ({ block }) => block.last); i < batches.length && size < bytes; i++) {
      const { block } = batches[i]!;
      if (run.length > 0 && run[0]!.epoch !== block.epoch) {
        merged.push(mergeBlocks(run));
        run = [];
      }
      run.push(block);
      size += pageBytes(block);
    }
  }
  if (run.length > 0) merged.push(run.length === 1 ? run[0]! : mergeBlocks(run));
  return merged;
}
