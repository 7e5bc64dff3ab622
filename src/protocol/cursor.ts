import { TelltaleError } from './errors.ts';

/**
 * A position in a thread's log: everything up to and with `seq`, as numbered by `epoch`. Where one event became several
 * frames, `k` counts the frames already seen of event `seq`; the last of them carries no `k`.
 * Written `<epoch>.<seq>` or `<epoch>.<seq>.<k>`, at most 64 ASCII characters (PROTOCOL.md section 4).
 */
export interface Cursor {
  readonly epoch: string;
  readonly seq: number;
  readonly k?: number;
}

// Anchored, bounded and without nested quantifiers: it looks at 54 characters at most, whatever is thrown at it. Numbers
// have no sign and no leading zero.
const CURSOR = /^([A-Za-z0-9_-]{1,32})\.(0|[1-9]\d{0,15})(?:\.([1-9]\d{0,2}))?$/;

/** Reads a cursor; `undefined` for anything that is not exactly one. Never throws, takes constant time. */
export function parseCursor(text: string): Cursor | undefined {
  const match = CURSOR.exec(text);
  if (!match) return undefined;
  const seq = Number(match[2]);
  if (!Number.isSafeInteger(seq)) return undefined;
  const epoch = match[1] as string;
  return match[3] === undefined ? { epoch, seq } : { epoch, seq, k: Number(match[3]) };
}

/** The cursor as text: what stands in the SSE `id:`. */
export function formatCursor(epoch: string, seq: number, k?: number): string {
  return k === undefined ? `${epoch}.${seq}` : `${epoch}.${seq}.${k}`;
}

/** One epoch of a thread: it numbered everything after `after`, until the next epoch's `after`. */
export interface EpochStart {
  readonly id: string;
  readonly after: number;
}

/** What a thread's log holds: numbers `first` to `last` (`first` is `last + 1` when it is empty). */
export interface Head {
  /** The epoch that gives out the next number. */
  readonly epoch: string;
  readonly first: number;
  readonly last: number;
  /** All epochs, oldest first; the last is `epoch`. */
  readonly epochs: readonly EpochStart[];
}

/** Why a viewer cannot simply go on from its cursor (PROTOCOL.md section 7). */
export type ResetReason = 'malformed' | 'unknown_epoch' | 'ahead_of_tail' | 'diverged' | 'truncated';

/** Where a viewer goes on: strictly after `after`. With a `reset`, what it held beyond `shared` is no longer true. */
export interface Position {
  readonly after: number;
  readonly reset?: { readonly reason: ResetReason; readonly shared: number };
}

/**
 * Decides where a cursor leads in a log. A cursor of an earlier epoch is good exactly up to the number at which the
 * following epoch began: up to there both share their past (the rule of Kafka's KIP-320).
 */
export function locate(cursor: Cursor | undefined, head: Head): Position {
  const start = head.first - 1;
  const restart = (reason: ResetReason, shared: number): Position => ({
    after: Math.max(shared, start),
    reset: { reason, shared },
  });
  if (!cursor) return restart('malformed', 0);
  const index = head.epochs.findIndex((epoch) => epoch.id === cursor.epoch);
  if (index < 0) return restart('unknown_epoch', 0);
  const next = head.epochs[index + 1];
  const end = next ? next.after : head.last;
  if (cursor.seq > end) return next ? restart('diverged', end) : restart('ahead_of_tail', 0);
  if (cursor.seq < start) return restart('truncated', cursor.seq);
  return { after: cursor.seq };
}

/**
 * Merged text cannot be cut at a number: whoever has part of it has to ask for the rest, by its own cursor.
 *
 * @throws {TelltaleError} `stream_broken` where `known` lies inside the range that a frame stands for.
 */
export function checkWhole({ first, seq }: { readonly first?: number; readonly seq: number }, known: number): void {
  if (first === undefined || first > known || seq <= known) return;
  const detail = `Of the merged deltas ${first} to ${seq} those up to ${known} are known.`;
  throw new TelltaleError('stream_broken', detail, { known, first, seq });
}
