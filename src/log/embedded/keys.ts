/**
 * Keys of the archive. Ids contain no "!", so a prefix that ends in one holds exactly its own keys; numbers are padded,
 * so that keys order as numbers do. Everything under `s!` is small and is checked whole when the store opens.
 */
import { type RunPlace, type RunQuery, type RunRecord, statusesOf } from '../index.ts';

/** Sorts behind every key that begins with the same prefix. */
export const after = (prefix: string): string => `${prefix}~`;

export const MARKER = 'm';
export const SMALL = 's!';

const number = (value: number): string => String(value).padStart(16, '0');
/** Texts that callers chose freely. JSON first: it keeps apart lone surrogates, which UTF-8 does not. */
const text = (value: string): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export const BLOCKS = 'b!';
export const blocksOf = (threadId: string): string => `${BLOCKS}${threadId}!`;
/** By its last number: the first key after `after` is the block that holds the next event. */
export const blockKey = (threadId: string, last: number): string => blocksOf(threadId) + number(last);
/** Blocks that stood behind damage: kept for people, never read. */
export const ASIDE = 'x!';
export const asideKey = (blockKey: string, stamp: string): string => `${ASIDE}${stamp}!${blockKey}`;

export const THREADS = 's!t!';
export const RUNS = 's!r!';
export const threadKey = (threadId: string): string => THREADS + threadId;
export const runKey = (runId: string): string => RUNS + runId;
export const onceOf = (threadId: string): string => `s!o!${threadId}!`;
export const onceKey = (threadId: string, once: string): string => onceOf(threadId) + text(once);

export const producersOf = (runId: string): string => `p!${runId}!`;
export const producerEpochOf = (runId: string, id: string, epoch: number): string =>
  `${producersOf(runId)}${text(id)}!${number(epoch)}!`;
/** Consecutive appends of one producer, by the last of them. */
export const producerKey = (runId: string, id: string, epoch: number, lastSeq: number): string =>
  producerEpochOf(runId, id, epoch) + number(lastSeq);

const listPrefix = (list: string, value: string): string => `s!l!${list}!${value === '' ? '' : text(value)}!`;
const inList = (prefix: string, run: RunPlace): string => `${prefix}${run.createdAt}!${run.runId}`;

/** Every list a run is in, each newest last. */
export function listKeys(run: RunRecord): string[] {
  const prefixes = [listPrefix('time', ''), listPrefix('thread', run.threadId), listPrefix('agent', run.agent)];
  prefixes.push(listPrefix('status', run.status));
  if (run.owner !== undefined) prefixes.push(listPrefix('owner', run.owner));
  return prefixes.map((prefix) => inList(prefix, run));
}

/** The shortest lists that hold everything a query can mean: more than one where it names several statuses and nothing else. */
function listsFor({ owner, threadId, agent, status }: RunQuery): readonly string[] {
  if (threadId !== undefined) return [listPrefix('thread', threadId)];
  if (owner !== undefined) return [listPrefix('owner', owner)];
  if (agent !== undefined) return [listPrefix('agent', agent)];
  return status === undefined ? [listPrefix('time', '')] : statusesOf(status).map((it) => listPrefix('status', it));
}

/** The part of each list from `since` to before `place` or `until`, as a range of keys. */
export function listRanges(query: RunQuery, place: RunPlace | undefined): readonly { gt: string; lt: string }[] {
  return listsFor(query).map((prefix) => {
    const ends = [after(prefix)];
    if (query.until !== undefined) ends.push(prefix + query.until);
    if (place) ends.push(inList(prefix, place));
    // "~" sorts behind "!": everything created at `since` itself stays outside.
    return { gt: query.since === undefined ? prefix : after(`${prefix}${query.since}`), lt: ends.sort()[0]! };
  });
}

/** The place a list key stands for. */
export function placeOf(key: string): RunPlace {
  const parts = key.split('!');
  return { createdAt: parts[4]!, runId: parts[5]! };
}

/** True for the lists that a run stays in only until it has ended. */
export const isOpenList = (key: string): boolean => OPEN_LISTS.some((prefix) => key.startsWith(prefix));
const OPEN_LISTS = (['queued', 'running', 'paused'] as const).map((status) => listPrefix('status', status));
