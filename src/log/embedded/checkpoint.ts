/** Moves what the journal holds into the archive: one synced write, after which journal segments can go. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Block } from '../../protocol/index.ts';
import { mergeBlocks, type RunRecord } from '../index.ts';
import type { Archive, Change } from './archive.ts';
import type { BatchEntry } from './entry.ts';
import { blockKey, blocksOf, listKeys, producerKey, runKey, threadKey } from './keys.ts';
import type { Layer } from './layer.ts';
import { seal, sealJson, unsealJson } from './sealed.ts';
import { encodeStoredBlock, type Marker, type StoredRun } from './stored.ts';

/** Large enough that a read is few look-ups, small enough that one look-up is not much. */
const BLOCK_BYTES = 64 * 1024;
/** The event loop has its turn after so much was encoded. */
const SLICE_BYTES = 512 * 1024;

export async function checkpoint(archive: Archive, layer: Layer, marker: Omit<Marker, 'small'>): Promise<void> {
  const changes: Change[] = [];
  const put = (key: string, value: Buffer) => changes.push({ type: 'put', key, value });
  let encoded = 0;
  for (const [threadId, thread] of layer.threads) {
    put(threadKey(threadId), sealJson(threadKey(threadId), thread));
    const kept = (layer.batches.get(threadId) ?? []).filter(({ block }) => block.last >= thread.head.first);
    for (const batches of groups(kept)) {
      const value = storedBlock(batches);
      put(value.key, value.sealed);
      encoded += value.sealed.length;
      if (encoded > SLICE_BYTES) {
        encoded = 0;
        await turn();
      }
    }
  }
  for (const threadId of layer.trimmed) {
    const { first } = layer.threads.get(threadId)!.head;
    for await (const key of archive.keys(blocksOf(threadId), blockKey(threadId, first))) {
      changes.push({ type: 'del', key });
    }
  }
  for (const [key, seq] of layer.once) put(key, sealJson(key, seq));
  for (const { runId, entries } of layer.producers.values()) {
    const { id, epoch, seq } = entries[entries.length - 1]!;
    const key = producerKey(runId, id, epoch, seq);
    put(key, sealJson(key, entries));
  }
  changes.push(...(await runChanges(archive, layer)));
  await archive.write(changes, marker);
}

/** Batches that become one block. */
function* groups(batches: readonly BatchEntry[]): Generator<BatchEntry[]> {
  let group: BatchEntry[] = [];
  let size = 0;
  for (const batch of batches) {
    const { epoch, bytes } = batch.block;
    if (group.length > 0 && (size + bytes.length > BLOCK_BYTES || epoch !== group[0]!.block.epoch)) {
      yield group;
      group = [];
      size = 0;
    }
    group.push(batch);
    size += bytes.length;
  }
  if (group.length > 0) yield group;
}

function storedBlock(batches: readonly BatchEntry[]): { key: string; sealed: Buffer } {
  const block: Block = batches.length === 1 ? batches[0]!.block : mergeBlocks(batches.map((batch) => batch.block));
  const { threadId, incarnation, commit } = batches[batches.length - 1]!;
  const key = blockKey(threadId, block.last);
  const runs = new Map(batches.map((batch) => [batch.commit.run.runId, batch.commit.run]));
  const images = {
    thread: { head: commit.head, incarnation },
    runs: [...runs.values()],
    producers: batches.flatMap((batch) =>
      batch.commit.producer ? [[batch.commit.run.runId, batch.commit.producer] as const] : [],
    ),
    once: batches.flatMap((batch) => batch.commit.once ?? []),
  };
  return { key, sealed: seal(key, encodeStoredBlock(block, images)) };
}

async function runChanges(archive: Archive, layer: Layer): Promise<Change[]> {
  const newest = new Map<string, [id: string, place: [epoch: number, seq: number]][]>();
  for (const { runId, entries } of layer.producers.values()) {
    const { id, epoch, seq } = entries[entries.length - 1]!;
    const places = newest.get(runId);
    // A later epoch was put behind the earlier one, so the last word on a producer is the newest.
    if (places) places.push([id, [epoch, seq]]);
    else newest.set(runId, [[id, [epoch, seq]]]);
  }
  const runs = [...layer.runs.values()];
  const sealed = await archive.getSealed(runs.map(({ runId }) => runKey(runId)));
  return runs.flatMap((record, i) => {
    const key = runKey(record.runId);
    const old = sealed[i] && unsealJson<StoredRun>(key, sealed[i]);
    const producers = { ...old?.producers, ...Object.fromEntries(newest.get(record.runId) ?? []) };
    return runChange(old?.record, { record, producers });
  });
}

/** A run's record, and its places in the lists. */
export function runChange(old: RunRecord | undefined, run: StoredRun): Change[] {
  const key = runKey(run.record.runId);
  const changes: Change[] = [{ type: 'put', key, value: sealJson(key, run) }];
  const before = new Set(old ? listKeys(old) : []);
  for (const list of listKeys(run.record)) {
    if (!before.delete(list)) changes.push({ type: 'put', key: list, value: seal(list, new Uint8Array()) });
  }
  for (const list of before) changes.push({ type: 'del', key: list });
  return changes;
}
