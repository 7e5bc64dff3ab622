import type { Chunk, Dialect, Encoder, Selection } from '../dialects/index.ts';
import type { Block } from '../protocol/index.ts';
import type { Flushable, Turn } from './turn.ts';
import { PAGE_BYTES } from './window.ts';

/** What a viewer gets next, and where it stands then. */
export interface Piece extends Chunk {
  readonly last: number;
}

interface Encoded extends Piece {
  readonly after: number;
}

export interface LiveViewer extends Flushable {
  /** The view ends here; the viewer has to find its own way on. */
  leaveView(): void;
  /** The view has failed, and every stream of it. */
  fail(error: unknown): void;
}

/** What says that two viewers see the same bytes. */
export function viewKey(dialect: Dialect, selection: Selection, merge: boolean): string {
  const { runId = '', types, agents, depth = -1, asMessages = false } = selection;
  // Names of agents may contain anything.
  return JSON.stringify([dialect.name, runId, asMessages, merge, depth, types ?? '', agents ?? '']);
}

/**
 * The live end of one dialect × selection: each block is encoded once, whoever watches. It goes on with the encoder of
 * the first viewer that reached the end of the log, so a dialect with state never begins in the middle.
 */
export class View implements Flushable {
  readonly viewers = new Set<LiveViewer>();
  readonly #encoder: Encoder;
  readonly #turn: Turn;
  readonly #merge: boolean;
  readonly #chunks: Encoded[] = [];
  /** Viewers that stand at the same place share one piece. */
  readonly #pieces = new Map<number, Piece>();
  /** The last event that was taken. */
  last: number;
  #ended = false;

  constructor(encoder: Encoder, turn: Turn, merge: boolean) {
    this.#encoder = encoder;
    this.#turn = turn;
    this.#merge = merge;
    this.last = encoder.after;
  }

  /** Takes the thread's next block. Never throws: a dialect that fails is no matter of the other views. */
  push(block: Block): void {
    try {
      this.#encode(block);
    } catch (error) {
      for (const viewer of this.viewers) viewer.fail(error);
    }
    this.#pieces.clear();
    this.#turn.add(this);
  }

  flush(): void {
    for (const viewer of this.viewers) viewer.flush();
  }

  /** What comes after `position`, up to a page, as one. `undefined`: that is no longer here. */
  read(position: number): Piece | undefined {
    const known = this.#pieces.get(position);
    if (known) return known;
    const piece = this.#gather(position);
    if (piece) this.#pieces.set(position, piece);
    return piece;
  }

  /** Lets go of what lies up to and with `seq`. */
  forget(seq: number): void {
    if (this.#chunks.length === 0 || this.#chunks[0]!.last > seq) return;
    while (this.#chunks.length > 0 && this.#chunks[0]!.last <= seq) this.#chunks.shift();
    this.#pieces.clear();
  }

  #encode(block: Block): void {
    while (!this.#ended && this.last < block.last) {
      const chunk = this.#encoder.encode(block, PAGE_BYTES, this.#merge);
      const after = this.last;
      this.last = this.#encoder.after;
      this.#ended = chunk.ended;
      this.#chunks.push({ ...chunk, after, last: this.last });
    }
  }

  #gather(position: number): Piece | undefined {
    const first = this.#chunks.findLastIndex(({ after }) => after === position);
    const chunk = this.#chunks[first];
    if (!chunk) return undefined;
    const parts = [chunk.bytes];
    let { lastId, last, ended } = chunk;
    let size = chunk.bytes.length;
    for (const next of this.#chunks.slice(first + 1)) {
      size += next.bytes.length;
      if (size > PAGE_BYTES) break;
      parts.push(next.bytes);
      lastId = next.lastId || lastId;
      ({ last, ended } = next);
    }
    return { bytes: joinBytes(parts), lastId, last, ended };
  }
}

/** One buffer of several; one that is alone is not copied. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const filled = parts.filter(({ length }) => length > 0);
  return filled.length === 1 ? filled[0]! : Buffer.concat(filled);
}
