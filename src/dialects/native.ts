/** Telltale's own dialect (PROTOCOL.md section 5): the frames as they are stored. */
import { type Block, type Entry, eventFrameOffsets, isTerminal, isVoid } from '../protocol/index.ts';
import { DeltaRange } from './delta-range.ts';
import type { Chunk, Dialect, Encoder, Place, Selection } from './dialect.ts';
import { selects } from './selection.ts';
import { Slices } from './slices.ts';

/**
 * Without state but for the last number it wrote. A view of a whole thread is the stored bytes, not copied; other views
 * are slices of them, with `prev` where numbers jump, and with the deltas of a range in one frame where that is asked for.
 */
export const native: Dialect = {
  name: 'native',
  encoder: (selection, place) => new NativeEncoder(selection, place),
};

class NativeEncoder implements Encoder {
  after: number;
  #prev: number;
  readonly #runId: string | undefined;
  readonly #asMessages: boolean;
  /** Undefined where every event is in the view. */
  readonly #selects: ((event: Entry) => boolean) | undefined;

  constructor(selection: Selection, { after, prev }: Place) {
    this.after = after;
    this.#prev = prev;
    this.#runId = selection.runId;
    this.#asMessages = selection.asMessages ?? false;
    this.#selects = selects(selection);
  }

  encode(block: Block, limit: number, merge = false): Chunk {
    if (block.first > this.after + 1) {
      throw new RangeError(`Event ${this.after + 1} is missing before block ${block.first}`);
    }
    const offset = block.offsetAfter(this.after);
    const asStored = !merge && !this.#selects && !this.#asMessages && this.#prev === this.after;
    if (!asStored || block.hasVoid || block.bytes.length - offset > limit) return this.#pick(block, limit, merge);
    if (block.last <= this.after) return NOTHING;
    this.after = this.#prev = block.last;
    return { bytes: offset === 0 ? block.bytes : block.bytes.subarray(offset), lastId: block.last, ended: false };
  }

  #pick(block: Block, limit: number, merge: boolean): Chunk {
    const frames = new Slices(block.bytes);
    let range: DeltaRange | undefined;
    let size = 0;
    let lastId = 0;
    let ended = false;
    for (let seq = this.after + 1; seq <= block.last && !ended; seq++) {
      const event = block.entry(seq);
      if (this.#selects ? this.#selects(event) : !isVoid(event)) {
        size += event.end - event.start;
        if (lastId > 0 && size > limit) break;
        if (!range?.add(seq, event)) {
          this.#close(frames, block, range);
          range = merge && event.entity !== undefined ? new DeltaRange(block, event.runId) : undefined;
          if (!range?.add(seq, event)) this.#write(frames, block, seq, event);
        }
        lastId = seq;
      }
      this.after = seq;
      ended = event.runId === this.#runId && isTerminal(event.type);
    }
    this.#close(frames, block, range);
    return { bytes: frames.join(), lastId, ended };
  }

  #close(frames: Slices, block: Block, range: DeltaRange | undefined): void {
    if (!range) return;
    if (range.merges) {
      range.write(frames, this.#prev, this.#asMessages);
      this.#prev = range.last;
    } else {
      for (const seq of range.numbers) this.#write(frames, block, seq, block.entry(seq));
    }
  }

  #write(frames: Slices, { epoch }: Block, seq: number, { start, end, type }: Entry): void {
    const prev = this.#prev;
    this.#prev = seq;
    const at = eventFrameOffsets(epoch, seq, type);
    let from = start;
    if (this.#asMessages) {
      frames.add(start, start + at.event);
      from = start + at.json - 'data: '.length;
    }
    if (seq - 1 !== prev) {
      frames.add(from, start + at.rest);
      frames.insert(encoder.encode(`"prev":${prev},`));
      from = start + at.rest;
    }
    frames.add(from, end);
  }
}

const encoder = new TextEncoder();
const NOTHING: Chunk = { bytes: new Uint8Array(0), lastId: 0, ended: false };
