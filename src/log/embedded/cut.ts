import { newEpoch } from '../../protocol/index.ts';
import type { Change } from './archive.ts';
import { runChange } from './checkpoint.ts';
import { FORMAT_VERSION } from './commit-codec.ts';
import type { Damage } from './damage.ts';
import { after, listKeys, listRange, onceOf, placeOf, runKey, threadKey } from './keys.ts';
import { rebuildThread } from './rebuild.ts';
import type { LostEnd } from './repair.ts';
import { sealJson, unsealJson } from './sealed.ts';
import type { Store } from './store.ts';
import type { StoredRun, StoredThread } from './stored.ts';

/**
 * Ends a thread before its first damaged block, under a new epoch. All of the thread has to be in the archive.
 *
 * @returns the runs that had ended, but whose end is cut off.
 */
export async function cutThread(store: Store, threadId: string, tell: (damage: Damage) => void): Promise<LostEnd[]> {
  const { archive, incarnations } = store;
  const known = await archive.get<StoredThread>(threadKey(threadId));
  const runIds: string[] = [];
  const { gt, lt } = listRange({ threadId, limit: 0 }, undefined);
  for await (const key of archive.keys(gt, lt)) runIds.push(placeOf(key).runId);
  const sealed = await archive.getSealed(runIds.map(runKey));
  const runs = sealed.flatMap((value, i) => (value && unsealJson<StoredRun>(runKey(runIds[i]!), value)) || []);

  const rebuilt = await rebuildThread(archive, threadId, known, runs);
  const { thread, cutAfter } = rebuilt;
  if (!thread || cutAfter === undefined) return [];
  const changes: Change[] = [...rebuilt.changes];
  const epoch = newEpoch();
  const head = { ...thread.head, epoch, epochs: [...thread.head.epochs, { id: epoch, after: cutAfter }] };
  const incarnation = incarnations[incarnations.length - 1]!;
  const value = sealJson(threadKey(threadId), { head, incarnation } satisfies StoredThread);
  changes.push({ type: 'put', key: threadKey(threadId), value });

  const left = new Map(rebuilt.runs.map((run) => [run.record.runId, run]));
  for (const { record: old } of runs) {
    const run = left.get(old.runId);
    if (run) changes.push(...runChange(old, run));
    else for (const key of [runKey(old.runId), ...listKeys(old)]) changes.push({ type: 'del', key });
  }
  for await (const key of archive.keys(onceOf(threadId), after(onceOf(threadId)))) {
    if (!rebuilt.once.has(key)) changes.push({ type: 'del', key });
  }
  const { segment, commit } = store.journal.end;
  await archive.write(changes, { version: FORMAT_VERSION, incarnations, segment, commit });
  store.generation++;
  tell({
    where: `thread ${threadId}`,
    what: `Events after ${cutAfter} are damaged; the thread goes on from there under a new epoch`,
  });
  return rebuilt.lostEnds.map((runId) => ({ threadId, runId }));
}
