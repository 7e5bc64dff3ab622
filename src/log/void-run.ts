import { Block, type Entry, VOID } from '../protocol/index.ts';

/**
 * A block without the events of one run: their numbers stay, their bytes are in no memory that the new block holds. The
 * same block where it has none of them.
 */
export function voidRun(block: Block, runId: string): Block {
  if (!block.entries.some((entry) => entry.runId === runId)) return block;
  const kept: Uint8Array[] = [];
  let end = 0;
  const entries = block.entries.map((entry): Entry => {
    const start = end;
    if (entry.runId === runId) return { ...VOID, start, end };
    kept.push(block.bytes.subarray(entry.start, entry.end));
    end += entry.end - entry.start;
    return { ...entry, start, end };
  });
  return new Block(block.epoch, block.first, Buffer.concat(kept), entries);
}
