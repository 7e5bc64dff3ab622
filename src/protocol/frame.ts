/**
 * The only code in Telltale that writes Server-Sent Events. Field injection (a line break in an id, an event name or in
 * data that starts a field of the attacker's) was 2026's commonest hole in SSE servers, so whatever could break a line
 * is refused here, once, for every dialect. LF only, one `data:` line per frame: AG-UI's client splits on "\n\n" alone.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 */
import { TelltaleError } from './errors.ts';

// An id goes back to the server in a header; longer or stranger ones kill the reconnect in browsers.
const ID = /^[!-~]{1,64}$/;
// Colons for dialects whose clients expect them (`plan:created`).
const EVENT = /^[A-Za-z0-9_.:-]{1,64}$/;
const BREAK = /[\r\n]/;

export interface Frame {
  /** The cursor that a reconnect gives back. Absent: the frame moves no cursor. */
  readonly id?: string;
  /** Event name; absent means `message`. */
  readonly event?: string;
  /** One line; JSON.stringify never makes more. */
  readonly data: string;
}

/** @throws {TelltaleError} `internal` for anything that would not come back from a parser as it went in. */
export function writeFrame({ id, event, data }: Frame): string {
  if (id !== undefined && !ID.test(id)) throw new TelltaleError('internal', `Not an SSE id: ${JSON.stringify(id)}`);
  if (event !== undefined && !EVENT.test(event)) {
    throw new TelltaleError('internal', `Not an SSE event name: ${JSON.stringify(event)}`);
  }
  if (BREAK.test(data) || !data.isWellFormed()) {
    throw new TelltaleError('internal', 'SSE data must be one line of well-formed text');
  }
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}

/** A comment: keeps proxies and watchdogs awake, dispatches nothing. Line breaks become spaces. */
export function writeComment(text: string): string {
  return `: ${text.replace(/[\r\n]+/g, ' ')}\n\n`;
}

/** Tells the client how long to wait before it reconnects, in whole milliseconds. */
export function writeRetry(milliseconds: number): string {
  return `retry: ${Math.max(0, Math.round(milliseconds))}\n\n`;
}

/**
 * The frame of one event of the log, exactly as it is stored and sent: its number is the first thing in `data`, so that
 * a filtered view can set `prev` behind it without parsing. `rest` is the event's JSON after `"epoch":"…",`.
 */
export function writeEventFrame(epoch: string, seq: number, type: string, rest: string): string {
  return `id: ${epoch}.${seq}\nevent: ${type}\ndata: {"seq":${seq},"epoch":"${epoch}",${rest}\n\n`;
}

/**
 * What a frame of merged deltas begins with, up to what follows its numbers in the frame of its first delta. Without
 * `event` it has no such line.
 */
export function mergedFrameHead(
  epoch: string,
  event: string | undefined,
  { seq, prev, first, count }: { seq: number; prev: number; first: number; count: number },
): string {
  const name = event === undefined ? '' : `event: ${event}\n`;
  return `id: ${epoch}.${seq}\n${name}data: {"seq":${seq},"prev":${prev},"first":${first},"count":${count},`;
}

/** How many bytes of an event frame come before its `event:` line, before its JSON, and before what follows `"seq":n,`. */
export function eventFrameOffsets(
  epoch: string,
  seq: number,
  type: string,
): { event: number; json: number; rest: number } {
  const digits = String(seq).length;
  const event = 6 + epoch.length + digits;
  const json = event + 14 + type.length;
  return { event, json, rest: json + 8 + digits };
}
