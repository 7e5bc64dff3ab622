/** Rebuilds what the archive says about threads from their blocks, and cuts a thread off where they are damaged. */
import { isEnded, newEpoch } from '../../protocol/index.ts';
import { isTombstone, type ProducerEntry, type RunRecord } from '../index.ts';
import type { Archive, Change } from './archive.ts';
import { after, asideKey, blockKey, blocksOf, onceKey, onceOf, producerKey, producersOf } from './keys.ts';
import { sealJson, unseal, unsealJson } from './sealed.ts';
import { type BlockImages, decodeImages, decodeStoredBlock, type StoredRun, type StoredThread } from './stored.ts';

/** A thread as its undamaged blocks tell it. */
export interface RebuiltThread {
  /** Absent where nothing of the thread is left. */
  readonly thread?: StoredThread;
  /** The number that it ends with although it had more, if it does. */
  readonly cutAfter?: number;
  readonly runs: readonly StoredRun[];
  /** By `onceKey`. */
  readonly once: ReadonlyMap<string, number>;
  /** To blocks and producers: what is damaged goes aside, what does not count any more goes. */
  readonly changes: readonly Change[];
  /** Runs that had ended, but whose end is cut off. */
  readonly lostEnds: readonly string[];
}

/** @param known the thread's record and those of its runs, as far as they could be read. */
export async function rebuildThread(
  archive: Archive,
  threadId: string,
  known: StoredThread | undefined,
  knownRuns: readonly StoredRun[],
): Promise<RebuiltThread> {
  const { images, first, last, broken, changes, ends } = await readChain(archive, threadId, known);
  const newest = images[images.length - 1]?.thread;
  const intact = !broken && known !== undefined && last === known.head.last;
  const base = intact ? known : widest(known, newest);
  // Ids that were given out stay so, whatever else is lost.
  if (!base)
    return { runs: knownRuns.filter(({ record }) => isTombstone(record)), once: new Map(), changes, lostEnds: [] };

  const head = { ...base.head, first: Math.max(first, base.head.first), last };
  if (last < head.first) head.first = last + 1;
  // Numbers beyond the cut are given out anew, so no epoch may begin behind it.
  const epochs = head.epochs.map((epoch) => ({ ...epoch, after: Math.min(epoch.after, last) }));
  const thread = { head: { ...head, epochs }, incarnation: base.incarnation };

  const byRun = new Map(images.flatMap(({ runs }) => runs.map((run) => [run.runId, run])));
  const before = new Map(knownRuns.map(({ record }) => [record.runId, record]));
  const runs: StoredRun[] = [];
  const lostEnds: string[] = [];
  for (const runId of new Set([...before.keys(), ...byRun.keys()])) {
    const old = before.get(runId);
    const record = old && isTombstone(old) ? old : (byRun.get(runId) ?? (old && trimmedRun(old, head.first, last)));
    const producers = await rebuildProducers(archive, runId, images, last, changes);
    if (!record) continue;
    runs.push({ record, producers });
    if (isTombstone(record)) continue;
    const hadEnded = ends.has(runId) || (old !== undefined && !isTombstone(old) && isEnded(old.status));
    if (hadEnded && !isEnded(record.status)) lostEnds.push(runId);
  }
  const once = await rebuildOnce(archive, threadId, images, last);
  return { thread, ...(!intact && { cutAfter: last }), runs, once, changes, lostEnds };
}

interface Chain {
  readonly images: BlockImages[];
  readonly first: number;
  readonly last: number;
  readonly broken: boolean;
  readonly changes: Change[];
  /** Runs that end behind the break. */
  readonly ends: Set<string>;
}

async function readChain(archive: Archive, threadId: string, known: StoredThread | undefined): Promise<Chain> {
  const images: BlockImages[] = [];
  const changes: Change[] = [];
  const ends = new Set<string>();
  const stamp = newEpoch();
  let first: number | undefined;
  let last = (known?.head.first ?? 1) - 1;
  let broken = false;
  for await (const [key, sealed] of archive.entries(blocksOf(threadId), after(blocksOf(threadId)))) {
    const opened = unseal(key, sealed);
    const block = opened && decodeStoredBlock(opened);
    // Without a record nobody knows how much was trimmed: the oldest block there is counts as the beginning.
    const joins =
      block &&
      (first !== undefined ? block.first === last + 1 : known === undefined || block.first <= known.head.first) &&
      key === blockKey(threadId, block.last);
    broken ||= !joins;
    if (block && !broken) {
      first ??= block.first;
      last = block.last;
      images.push(decodeImages(opened));
      continue;
    }
    if (opened) for (const run of decodeImages(opened).runs) if (run.last !== undefined) ends.add(run.runId);
    changes.push({ type: 'del', key }, { type: 'put', key: asideKey(key, stamp), value: sealed });
  }
  return { images, first: first ?? last + 1, last, broken, changes, ends };
}

/** The record that knows more epochs: the thread's own, unless an older one has come to light again. */
function widest(known: StoredThread | undefined, newest: StoredThread | undefined): StoredThread | undefined {
  if (!known || !newest) return known ?? newest;
  return known.head.epochs.length >= newest.head.epochs.length ? known : newest;
}

/** A run of which no event is left, because it was trimmed: what its record says holds, except for what was cut off. */
function trimmedRun(record: RunRecord, first: number, last: number): RunRecord | undefined {
  if (record.first >= first) return undefined;
  if (record.last === undefined || record.last <= last) return record;
  const { last: _, endedAt: __, ...open } = record;
  return { ...open, status: 'running' };
}

async function rebuildProducers(
  archive: Archive,
  runId: string,
  images: readonly BlockImages[],
  last: number,
  changes: Change[],
): Promise<StoredRun['producers']> {
  const entries: ProducerEntry[] = [];
  for await (const [key, sealed] of archive.entries(producersOf(runId), after(producersOf(runId)))) {
    entries.push(...(unsealJson<ProducerEntry[]>(key, sealed) ?? []));
    changes.push({ type: 'del', key });
  }
  for (const { producers } of images) for (const [run, entry] of producers) if (run === runId) entries.push(entry);

  const series = new Map<string, Map<number, ProducerEntry>>();
  const newest = new Map<string, readonly [number, number]>();
  entries.sort((a, b) => a.epoch - b.epoch || a.seq - b.seq);
  for (const entry of entries) {
    if (entry.ack.last > last) continue;
    const name = JSON.stringify([entry.id, entry.epoch]);
    series.set(name, (series.get(name) ?? new Map<number, ProducerEntry>()).set(entry.seq, entry));
    newest.set(entry.id, [entry.epoch, entry.seq]);
  }
  for (const one of series.values()) {
    const chunk = [...one.values()];
    const { id, epoch, seq } = chunk[chunk.length - 1]!;
    const key = producerKey(runId, id, epoch, seq);
    changes.push({ type: 'put', key, value: sealJson(key, chunk) });
  }
  return Object.fromEntries(newest);
}

async function rebuildOnce(
  archive: Archive,
  threadId: string,
  images: readonly BlockImages[],
  last: number,
): Promise<Map<string, number>> {
  const once = new Map<string, number>();
  for await (const [key, sealed] of archive.entries(onceOf(threadId), after(onceOf(threadId)))) {
    const seq = unsealJson<number>(key, sealed);
    if (seq !== undefined && seq <= last) once.set(key, seq);
  }
  for (const image of images) for (const { key, seq } of image.once) once.set(onceKey(threadId, key), seq);
  return once;
}
