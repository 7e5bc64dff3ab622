import { type Block, type EventType, formatCursor, isTerminal, isVoid, type KnownEvent } from '../protocol/index.ts';
import type { Chunk, Dialect, Encoder, Place, Selection } from './dialect.ts';
import { formatRunCursor } from './run-cursor.ts';
import { type Said, writeSaid } from './said.ts';
import { type ForeignWords, foreignWords } from './words.ts';

/** Another system's dialect: what its clients are told of each event, from what a run's events have said so far. */
export interface Folding<State> {
  readonly name: string;
  /** The types it looks at; terminal ones always. Others are never parsed, and not given to `say`. */
  readonly types: readonly EventType[];
  /** What is known of a run before its first event. It is forgotten with the run's terminal event. */
  begin(runId: string): State;
  /**
   * The frames of one event, none or several; changes `state`. Called for events that the client has, too, whose frames
   * are then not sent: it must not matter. The first event may be any, where the log no longer has the run's beginning.
   */
  say(state: State, event: KnownEvent): readonly Said[];
  /**
   * Two frames in a row as one, where history is long or a client is slow: for what only adds to a text. `undefined`:
   * they stay two.
   */
  join?(one: Said, next: Said): Said | undefined;
  /** `run`: ids name the run, for doors whose address does not. */
  readonly ids?: 'run';
  readonly words: ForeignWords;
}

/**
 * A dialect with state, from what is its own. It folds from the start of the run, or of the thread, and suppresses what
 * the client has, so that nothing ends that had not begun; ids are `<epoch>.<seq>`, with `.<k>` on all but the last frame
 * of an event.
 *
 * @example
 * export const counting = foldingDialect<{ tools: number }>({
 *   name: 'counting',
 *   types: ['tool.called'],
 *   begin: () => ({ tools: 0 }),
 *   say: (state) => [{ event: 'tools', data: { count: ++state.tools } }],
 *   words: { reset: (_stream, reason) => [{ event: 'restart', data: { reason } }] },
 * });
 */
export function foldingDialect<State>(folding: Folding<State>): Dialect {
  const types = new Set<string>(folding.types);
  return {
    name: folding.name,
    startsAnew: true,
    encoder: (selection, place) => new FoldingEncoder(folding, types, selection, place),
    words(stream) {
      const write = (said: Said, id?: string) => writeSaid(said, id, stream.asMessages ?? false);
      return foreignWords(folding.words, stream, write, folding.ids === 'run');
    },
  };
}

/** What a cursor's `k` can count to: beyond that, frames of one event share their id and may come again. */
const MAX_K = 999;

class FoldingEncoder<State> implements Encoder {
  after: number;
  readonly #folding: Folding<State>;
  readonly #types: ReadonlySet<string>;
  readonly #runId: string | undefined;
  readonly #asMessages: boolean;
  /** The client has everything up to here, and `#k` frames of the next event. */
  readonly #known: number;
  readonly #k: number;
  readonly #states = new Map<string, State>();

  constructor(folding: Folding<State>, types: ReadonlySet<string>, selection: Selection, place: Place) {
    this.#folding = folding;
    this.#types = types;
    this.#runId = selection.runId;
    this.#asMessages = selection.asMessages ?? false;
    this.after = place.begin;
    this.#known = place.after;
    this.#k = place.k ?? 0;
  }

  encode(block: Block, limit: number, merge = false): Chunk {
    if (block.first > this.after + 1) {
      throw new RangeError(`Event ${this.after + 1} is missing before block ${block.first}`);
    }
    const frames = new Frames(this.#asMessages, merge ? this.#folding.join : undefined);
    let ended = false;
    for (let seq = this.after + 1; seq <= block.last && !ended; seq++) {
      const entry = block.entry(seq);
      const isOurs = !isVoid(entry) && (this.#runId === undefined || entry.runId === this.#runId);
      const isLast = isOurs && isTerminal(entry.type);
      if (isLast || (isOurs && this.#types.has(entry.type))) {
        if (frames.lastId > 0 && frames.size + entry.end - entry.start > limit) break;
        const said = this.#say(block, seq, entry.runId);
        if (seq > this.#known) this.#write(frames, said, block.epoch, seq, entry.runId);
      }
      if (isLast) this.#states.delete(entry.runId);
      ended = isLast && entry.runId === this.#runId;
      this.after = seq;
    }
    return { bytes: frames.bytes(), lastId: frames.lastId, ended };
  }

  #say(block: Block, seq: number, runId: string): readonly Said[] {
    let state = this.#states.get(runId);
    if (state === undefined) {
      state = this.#folding.begin(runId);
      this.#states.set(runId, state);
    }
    return this.#folding.say(state, block.event(seq) as KnownEvent);
  }

  #write(frames: Frames, said: readonly Said[], epoch: string, seq: number, runId: string): void {
    const skipped = seq === this.#known + 1 ? this.#k : 0;
    for (let i = skipped; i < said.length; i++) {
      const isLast = i === said.length - 1;
      const cursor = formatCursor(epoch, seq, isLast ? undefined : Math.min(i + 1, MAX_K));
      frames.add(
        said[i]!,
        this.#folding.ids === 'run' ? formatRunCursor(runId, cursor) : cursor,
        seq,
        said.length === 1,
      );
    }
  }
}

/** Frames in a row; the newest may still be joined with the one after it. */
class Frames {
  lastId = 0;
  readonly #asMessages: boolean;
  readonly #join: Folding<never>['join'];
  readonly #written: string[] = [];
  #newest: { readonly said: Said; readonly id: string } | undefined;
  size = 0;

  constructor(asMessages: boolean, join: Folding<never>['join']) {
    this.#asMessages = asMessages;
    this.#join = join;
  }

  /** `alone`: all that its event became. Only such frames are joined, or a cursor between them would mean two things. */
  add(said: Said, id: string, seq: number, alone: boolean): void {
    this.lastId = seq;
    const joined = alone && this.#newest ? this.#join?.(this.#newest.said, said) : undefined;
    if (!joined) this.#close();
    if (joined || (alone && this.#join)) this.#newest = { said: joined ?? said, id };
    else this.#push(said, id);
  }

  bytes(): Uint8Array {
    this.#close();
    return this.#written.length === 0 ? NOTHING : encoder.encode(this.#written.join(''));
  }

  #close(): void {
    if (this.#newest) this.#push(this.#newest.said, this.#newest.id);
    this.#newest = undefined;
  }

  #push(said: Said, id: string): void {
    const frame = writeSaid(said, id, this.#asMessages);
    this.#written.push(frame);
    this.size += frame.length;
  }
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);
