/** Telltale's own dialect (PROTOCOL.md section 5): the frames as they are stored. */
import { type Block, type Entry, eventFrameOffsets, isTerminal } from '../protocol/index.ts';
import type { Chunk, Dialect, Encoder, Place, Selection } from './dialect.ts';
import { selects } from './selection.ts';
import { Slices } from './slices.ts';

/**
 * Without state but for the last number it wrote. A view of a whole thread is the stored bytes, not copied; other views
 * are slices of them, with `prev` where numbers jump.
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
  readonly #selects: ((event: Entry) => boolean) | undefined;

  constructor(selection: Selection, { after, prev }: Place) {
    this.after = after;
    this.#prev = prev;
    this.#runId = selection.runId;
    this.#asMessages = selection.asMessages ?? false;
    this.#selects = selects(selection);
  }

  encode(block: Block, limit: number): Chunk {
    if (block.first > this.after + 1) {
      throw new RangeError(`Event ${this.after + 1} is missing before block ${block.first}`);
    }
    const offset = block.offsetAfter(this.after);
    const asStored = !this.#selects && !this.#asMessages && this.#prev === this.after;
    if (!asStored || block.bytes.length - offset > limit) return this.#pick(block, limit);
    if (block.last <= this.after) return NOTHING;
    this.after = this.#prev = block.last;
    return { bytes: offset === 0 ? block.bytes : block.bytes.subarray(offset), lastId: block.last, ended: false };
  }

  #pick(block: Block, limit: number): Chunk {
    const frames = new Slices(block.bytes);
    let size = 0;
    let lastId = 0;
    for (let seq = this.after + 1; seq <= block.last; seq++) {
      const event = block.entry(seq);
      if (!this.#selects || this.#selects(event)) {
        size += event.end - event.start;
        if (lastId > 0 && size > limit) break;
        this.#write(frames, block, seq, event);
        lastId = this.#prev = seq;
      }
      this.after = seq;
      if (event.runId === this.#runId && isTerminal(event.type)) return { bytes: frames.join(), lastId, ended: true };
    }
    return { bytes: frames.join(), lastId, ended: false };
  }

  #write(frames: Slices, { epoch }: Block, seq: number, { start, end, type }: Entry): void {
    const at = eventFrameOffsets(epoch, seq, type);
    let from = start;
    if (this.#asMessages) {
      frames.add(start, start + at.event);
      from = start + at.json - 'data: '.length;
    }
    if (seq - 1 !== this.#prev) {
      frames.add(from, start + at.rest);
      frames.insert(encoder.encode(`"prev":${this.#prev},`));
      from = start + at.rest;
    }
    frames.add(from, end);
  }
}

const encoder = new TextEncoder();
const NOTHING: Chunk = { bytes: new Uint8Array(0), lastId: 0, ended: false };
