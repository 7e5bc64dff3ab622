/** The stream's own frames: what the server says about the stream itself (PROTOCOL.md section 6). */
import { formatCursor, type Head, type ResetReason } from './cursor.ts';
import { type ErrorCode, TelltaleError } from './errors.ts';
import { writeFrame } from './frame.ts';
import type { RunSnapshot } from './snapshot.ts';

/** Types under this prefix are written by the server only; producers are refused them. */
export const STREAM_PREFIX = 'stream.';

/** Where several streams share a connection (`GET /v1/stream`): which of them it speaks of, `run:<id>` or `thread:<id>`. */
interface OfStream {
  readonly stream?: string;
}

/** First frame of every stream. Times are milliseconds. */
export interface StreamHello extends OfStream {
  readonly threadId: string;
  /** Set on the stream of one run. */
  readonly runId?: string;
  readonly epoch: string;
  /** Oldest and newest number the thread's log holds now. */
  readonly earliest: number;
  readonly latest: number;
  readonly heartbeatMs: number;
}

/** The cursor could not be followed. What the viewer holds beyond `shared` is void; the stream goes on after `after`. */
export interface StreamReset extends OfStream {
  readonly reason: ResetReason;
  readonly earliest: number;
  readonly latest: number;
  readonly shared: number;
  readonly after: number;
}

export interface StreamProgress extends OfStream {
  /** Everything up to this number was looked at; nothing in between is for this view. */
  readonly seq: number;
}

/** This stream's run has ended and all of it was sent, or was deleted; the others on the connection go on. */
export interface StreamEnded {
  readonly stream: string;
  readonly reason: StreamBye['reason'];
}

/** This stream is not to be had; the others on the connection go on. As in problem details (PROTOCOL.md section 8). */
export interface StreamRefused {
  readonly stream: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

export interface StreamBye {
  /** Why the stream closes now, for good: the run ended, or was deleted (what was received of it is void). */
  readonly reason: 'ended' | 'deleted';
}

/**
 * Why a viewer is sent nothing more: the access was taken back, for good, or what it stood on has expired: then whoever
 * has anything newer comes again with that.
 */
export type RevokedReason = 'revoked' | 'expired';

/** The connection closes behind it. */
export interface StreamRevoked {
  readonly reason: RevokedReason;
}

const json = JSON.stringify;

/** First in the data; nothing on the stream of one run or thread. */
const of = (stream: string | undefined): OfStream => (stream === undefined ? {} : { stream });

export const helloFrame = (hello: StreamHello): string => writeFrame({ event: 'stream.hello', data: json(hello) });

export const caughtUpFrame = (seq: number, stream?: string): string =>
  writeFrame({ event: 'stream.caught-up', data: json({ ...of(stream), seq }) });

/** Carries an id and data: an id without data moves the cursor in Chromium but not in Firefox. */
export function progressFrame(epoch: string, seq: number, stream?: string): string {
  const data: StreamProgress = { ...of(stream), seq };
  return writeFrame({ id: formatCursor(epoch, seq), event: 'stream.progress', data: json(data) });
}

/** Carries the id of the place it restarts from, so that a cut right after it is not answered by a second reset. */
export function resetFrame(
  reset: { reason: ResetReason; shared: number },
  after: number,
  head: Head,
  stream?: string,
): string {
  const data: StreamReset = {
    ...of(stream),
    reason: reset.reason,
    earliest: head.first,
    latest: head.last,
    shared: reset.shared,
    after,
  };
  return writeFrame({ id: formatCursor(epochOf(head, after), after), event: 'stream.reset', data: json(data) });
}

/** Carries the cursor from which to go on, which may be that of a later event of another run. */
export const snapshotFrame = (cursor: string, snapshot: RunSnapshot): string =>
  writeFrame({ id: cursor, event: 'stream.snapshot', data: json(snapshot) });

export const endedFrame = (stream: string, reason: StreamEnded['reason'] = 'ended'): string =>
  writeFrame({ event: 'stream.ended', data: json({ stream, reason } satisfies StreamEnded) });

export const refusedFrame = (refused: StreamRefused): string =>
  writeFrame({ event: 'stream.refused', data: json(refused) });

/** What an error means for one of several streams: a refusal, or `undefined` where it is not about that stream. */
export function refusalOf(stream: string, error: unknown): StreamRefused | undefined {
  if (!(error instanceof TelltaleError) || error.status >= 500) return undefined;
  return { stream, code: error.code, detail: error.message };
}

export const byeFrame = (reason: StreamBye['reason'] = 'ended'): string =>
  writeFrame({ event: 'stream.bye', data: json({ reason } satisfies StreamBye) });

export const revokedFrame = (reason: RevokedReason): string =>
  writeFrame({ event: 'stream.revoked', data: json({ reason } satisfies StreamRevoked) });

/** Begins a live list of runs. A list has no cursor: none of its frames carries an id. */
export const listHelloFrame = (heartbeatMs: number): string =>
  writeFrame({ event: 'stream.hello', data: json({ heartbeatMs } satisfies Pick<StreamHello, 'heartbeatMs'>) });

/** The list is complete; what follows has changed. `next`: older runs that are not in it begin there. */
export const listCaughtUpFrame = (next: string | undefined): string =>
  writeFrame({ event: 'stream.caught-up', data: json({ next }) });

/** A run of a list as it is now. */
export const runFrame = (summary: object): string => writeFrame({ event: 'stream.run', data: json(summary) });

/** Why a run is in a list no more. */
export type LeftReason = 'status' | 'deleted';

export const leftFrame = (runId: string, reason: LeftReason): string =>
  writeFrame({ event: 'stream.left', data: json({ runId, reason }) });

/** The epoch that numbered `seq`. */
export function epochOf(head: Head, seq: number): string {
  let id = head.epoch;
  for (const epoch of head.epochs) if (epoch.after < seq || epoch.after === 0) id = epoch.id;
  return id;
}
