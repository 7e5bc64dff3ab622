import type { Block } from '../protocol/index.ts';

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
