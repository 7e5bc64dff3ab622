import type { Block, Head, Position, RevokedReason, StreamBye, StreamHello } from '../protocol/index.ts';

/** Which events a view has, and how they are written. */
export interface Selection {
  /** Only this run's events. The view ends with the run. */
  readonly runId?: string;
  /** Only these types, or groups such as `tool.*`. Terminal events always pass. */
  readonly types?: readonly string[];
  /** Only what these agents did, by id or name. Terminal events always pass. */
  readonly agents?: readonly string[];
  /** Only what was done at most so deep: 0 for the run itself and its outermost agents. Terminal events always pass. */
  readonly depth?: number;
  /** Without `event:` lines, so that everything arrives as `message`. */
  readonly asMessages?: boolean;
}

/** Where a viewer stands in the log. */
export interface Place {
  /** The number before the first event that the view can have: a dialect with state folds from here. */
  readonly begin: number;
  /** The viewer has, or need not have, everything up to here. */
  readonly after: number;
  /** The number in the last id that the viewer has; its own `prev`. */
  readonly prev: number;
  /** Of event `after + 1`, which became several frames, the viewer has this many. */
  readonly k?: number;
}

/**
 * How the log is spoken: a pure fold from events to SSE frames. No clock, no I/O, no randomness: the same log makes the
 * same frames with the same ids, on every node and in every replay.
 */
export interface Dialect {
  /** Names the views that may be shared. */
  readonly name: string;
  /** Begins or goes on with a view, so that the first frame it writes is the one that comes after `place`. */
  encoder(selection: Selection, place: Place): Encoder;
  /** What a stream says of itself. Without it: the `stream.*` frames (PROTOCOL.md section 6). */
  words?(stream: SpokenStream): StreamWords;
  /** Its clients cannot tell what a reset leaves valid: they are told of it, and then everything from the start. */
  readonly startsAnew?: true;
}

/** The stream that speaks of itself. */
export interface SpokenStream {
  readonly threadId: string;
  readonly runId?: string;
  /** As in `Selection`. */
  readonly asMessages?: boolean;
  /** Where it shares its connection with others. */
  readonly name?: string;
}

/** How a stream speaks of itself: each is frames, or nothing where clients of the dialect are not told. */
export interface StreamWords {
  /** Before anything else. */
  hello(hello: StreamHello): string;
  /** The cursor could not be followed. The stream goes on after event `after`, which is the id to give. */
  reset(reset: NonNullable<Position['reset']>, after: number, head: Head): string;
  /** The cursor moved over events that are not for the view. */
  progress(epoch: string, seq: number): string;
  /** History is done, what follows is live. */
  caughtUp(seq: number): string;
  /** Behind the terminal event, or because the run was deleted. The connection closes then. */
  bye(reason: StreamBye['reason']): string;
  /** Whoever watches may do so no more. The connection closes then. */
  revoked(reason: RevokedReason): string;
  heartbeat(beat: Heartbeat): string;
}

export interface Heartbeat {
  /** Cursor of the log's tail; absent while there is no log. */
  readonly latest?: string;
  /** 1 for the first of the connection; `HEARTBEAT_MS` lie between two. */
  readonly count: number;
  /** RFC 3339, by the server's clock. */
  readonly time: string;
}

/** One view's frames, as far as it has been fed. Shared by every viewer that stands where it stands. */
export interface Encoder {
  /** The last event it has taken. Its next block has to hold the one after; a fold starts further back than its viewer. */
  readonly after: number;
  /**
   * Takes the block's next events while their frames fit into `limit` bytes, and at least one. With `merge`, what only
   * adds to a text may be written as fewer frames.
   *
   * @throws {RangeError} when events are missing between `after` and the block.
   */
  encode(block: Block, limit: number, merge?: boolean): Chunk;
}

/** Frames of consecutive events, some of which may have none. */
export interface Chunk {
  /** Shared; never changed. */
  readonly bytes: Uint8Array;
  /** Number in the id of the last frame; 0 when there is no frame. */
  readonly lastId: number;
  /** The view's run ended here: nothing can follow. */
  readonly ended: boolean;
}
