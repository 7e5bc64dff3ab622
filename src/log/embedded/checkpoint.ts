/** Moves what the journal holds into the archive: one synced write, after which journal segments can go. */
import { setImmediate as turn } from 'node:timers/promises';
import { isTombstone, type KnownRun } from '../index.ts';
import type { Archive, Change } from './archive.ts';
import { eraseBlocks } from './erase.ts';
import { blockKey, blocksOf, listKeys, producerKey, runKey, threadKey } from './keys.ts';
import type { Layer } from './layer.ts';
import { blockChanges, repackFrom } from './repack.ts';
import { seal, sealJson, unsealJson } from './sealed.ts';
import type { Marker, StoredRun } from './stored.ts';

/** The event loop has its turn after so much was encoded. */
const SLICE_BYTES = 512 * 1024;

export async function checkpoint(archive: Archive, layer: Layer, marker: Omit<Marker, 'small'>): Promise<void> {
  const changes: Change[] = [];
  const put = (key: string, value: Buffer) => changes.push({ type: 'put', key, value });
  const repack = repackFrom(layer);
  let encoded = 0;
  for (const [threadId, thread] of layer.threads) {
    put(threadKey(threadId), sealJson(threadKey(threadId), thread));
    const kept = (layer.batches.get(threadId) ?? []).filter(({ block }) => block.last >= thread.head.first);
    for await (const change of blockChanges(archive, threadId, kept, repack.get(threadId))) {
      changes.push(change);
      if (change.type === 'put') encoded += change.value.length;
      if (encoded > SLICE_BYTES) {
        encoded = 0;
        await turn();
      }
    }
  }
  for (const [threadId, tombstones] of layer.erased) {
    changes.push(...(await eraseBlocks(archive, threadId, tombstones)));
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
    const earlier = isTombstone(record) ? {} : old?.producers;
    const producers = { ...earlier, ...Object.fromEntries(newest.get(record.runId) ?? []) };
    return runChange(old?.record, { record, producers });
  });
}

/** A run's record, and its places in the lists, of which a tombstone has none. */
export function runChange(old: KnownRun | undefined, run: StoredRun): Change[] {
  const key = runKey(run.record.runId);
  const changes: Change[] = [{ type: 'put', key, value: sealJson(key, run) }];
  const before = new Set(listsOf(old));
  for (const list of listsOf(run.record)) {
    if (!before.delete(list)) changes.push({ type: 'put', key: list, value: seal(list, new Uint8Array()) });
  }
  for (const list of before) changes.push({ type: 'del', key: list });
  return changes;
}

const listsOf = (run: KnownRun | undefined): string[] => (run && !isTombstone(run) ? listKeys(run) : []);
