import {
  checkWhole,
  parseCursor,
  type RunSnapshot,
  type StreamBye,
  type StreamHello,
  type StreamReset,
  type StreamRevoked,
  TelltaleError,
  type TelltaleEvent,
} from '../protocol/index.ts';
import type { ServerFrame } from './frames.ts';
import type { ListedRun } from './requests.ts';
import { unreachable } from './response.ts';
import type { Followed } from './source.ts';

/** What frames say. */
export interface Taken {
  readonly items: readonly Followed[];
  /** The log has ended. */
  readonly isOver: boolean;
  /** Why what comes next cannot be taken. */
  readonly failure?: unknown;
}

/** Where in the log a viewer is, and what that makes of the next frame: repeats are dropped, holes are refused. */
export class Place {
  cursor: string | undefined;
  /** Everything up to this number is known. A viewer without one takes the first frame as it comes. */
  #seq: number | undefined;
  readonly #startsOver: boolean;
  readonly #numbersOnly: boolean;
  /** The highest number there ever was: what comes up to it again is nothing new. */
  #peak = 0;

  /**
   * @param startsOver a reset that leaves the reader without its beginning is followed by the beginning of the log.
   * @param numbersOnly of events nothing is read but their numbers.
   */
  constructor(cursor: string | undefined, startsOver: boolean, numbersOnly = false) {
    this.cursor = cursor;
    this.#startsOver = startsOver;
    this.#numbersOnly = numbersOnly;
    this.#seq = cursor === undefined ? undefined : parseCursor(cursor)?.seq;
  }

  /** Forgets where it was: the next stream begins at its beginning. */
  startOver(): void {
    this.cursor = undefined;
    this.#seq = undefined;
  }

  mustStartOver({ after }: StreamReset): boolean {
    return this.#startsOver && after > 0;
  }

  /** True once after the place has come to where it never was. */
  takeProgress(): boolean {
    const isNew = (this.#seq ?? 0) > this.#peak;
    if (isNew) this.#peak = this.#seq as number;
    return isNew;
  }

  /** Takes frames up to the first that cannot be taken, the one after which to start over, or the end of the log. */
  takeAll(frames: readonly ServerFrame[]): Taken {
    const items: Followed[] = [];
    try {
      for (const frame of frames) {
        if (frame.event === 'stream.bye' && isEnd(frame)) return { items, isOver: true };
        const item = this.#take(frame);
        if (item) items.push(item);
        if (item?.kind !== 'reset' || !this.mustStartOver(item.reset)) continue;
        // What follows it is the middle of the log.
        this.startOver();
        break;
      }
      return { items, isOver: false };
    } catch (failure) {
      return { items, isOver: false, failure };
    }
  }

  /**
   * What a frame says; `undefined` for what is known or says nothing to a reader.
   *
   * @throws {TelltaleError} `stream_broken` for a hole, for merged deltas of which some are known, and for what is no
   * frame of ours; `unreachable` where the server sends its viewers away, or wants to see a newer token;
   * `access_revoked`.
   */
  #take({ event: name, id, data }: ServerFrame): Followed | undefined {
    switch (name) {
      case 'stream.hello':
        return { kind: 'connected', hello: readData(data) as StreamHello };
      case 'stream.caught-up':
        return { kind: 'caught-up' };
      case 'stream.progress':
        this.#move(Math.max(this.#seq ?? 0, seqOf(id)), id);
        return undefined;
      case 'stream.snapshot':
        this.#move(seqOf(id), id);
        return { kind: 'snapshot', snapshot: readData(data) as RunSnapshot };
      case 'stream.reset':
        this.#move(seqOf(id), id);
        return { kind: 'reset', reset: readData(data) as StreamReset };
      case 'stream.run':
        return { kind: 'listed', run: readData(data) as ListedRun };
      case 'stream.left':
        return { kind: 'left', runId: (readData(data) as { runId: string }).runId };
      case 'stream.draining':
        throw unreachable('The server is going down; its log goes on.');
      case 'stream.revoked':
        if ((readData(data) as StreamRevoked).reason === 'expired')
          throw unreachable('The access has run out; asking for it anew.');
        throw new TelltaleError('access_revoked', 'The access was taken back.');
    }
    if (name?.startsWith('stream.')) return undefined;
    return this.#takeEvent(id, data);
  }

  #takeEvent(id: string | undefined, data: string): Followed | undefined {
    const event = (this.#numbersOnly ? readNumbers(data) : readData(data)) as TelltaleEvent;
    const { seq, type } = event;
    if (typeof type !== 'string' || typeof event.data !== 'object' || event.data === null || seqOf(id) !== seq) {
      throw new TelltaleError('stream_broken', 'A frame is no event.', { id, frame: data.slice(0, 200) });
    }
    const known = this.#seq;
    if (known !== undefined) {
      if (seq <= known) return undefined;
      const prev = event.prev ?? seq - 1;
      if (prev > known) {
        throw new TelltaleError('stream_broken', `Events ${known + 1} to ${prev} are missing.`, { known, prev, seq });
      }
      checkWhole(event, known);
    }
    this.#move(seq, id);
    return { kind: 'event', event, cursor: id as string, size: data.length };
  }

  #move(seq: number, cursor: string | undefined): void {
    this.#seq = seq;
    this.cursor = cursor;
  }
}

/** Whether all was told. @throws {TelltaleError} `run_deleted` */
function isEnd({ data }: ServerFrame): boolean {
  if ((readData(data) as StreamBye).reason !== 'deleted') return true;
  throw new TelltaleError('run_deleted', 'The run was deleted; what was received of it is void.');
}

/** The number in a frame's id. @throws {TelltaleError} `stream_broken` */
function seqOf(id: string | undefined): number {
  const cursor = parseCursor(id ?? '');
  if (!cursor) throw new TelltaleError('stream_broken', 'A frame has no cursor.', { id: id?.slice(0, 100) });
  return cursor.seq;
}

/** The numbers come first in a frame of ours (PROTOCOL.md sections 2 and 5). */
const NUMBERS = /^\{"seq":(\d+)(?:,"prev":(\d+))?(?:,"first":(\d+))?/;

function readNumbers(data: string): object {
  const [head, seq, prev, first] = NUMBERS.exec(data) ?? [];
  if (head === undefined) return readData(data);
  const numbers = { seq: Number(seq), ...(prev && { prev: Number(prev) }), ...(first && { first: Number(first) }) };
  return { ...numbers, type: '', data: {} };
}

/** The object in a frame's data. @throws {TelltaleError} `stream_broken` when there is none. */
function readData(data: string): object {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new TelltaleError('stream_broken', 'A frame is not JSON.', { frame: data.slice(0, 200) });
}
