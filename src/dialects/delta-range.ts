import { type Block, type Entry, eventFrameOffsets, MERGED_DELTAS, mergedFrameHead } from '../protocol/index.ts';
import type { Slices } from './slices.ts';

/** What one entity has in a range. Offsets are bytes into the block. */
interface Part {
  readonly type: string;
  readonly first: number;
  last: number;
  count: number;
  /** In the frame of its first delta: what follows the number, what follows the time, and the text. */
  readonly rest: number;
  readonly about: number;
  readonly text: number;
  /** Where each delta's text begins and ends. */
  readonly texts: number[];
}

/**
 * Consecutive deltas of one run, on their way into one frame (PROTOCOL.md section 5). Agents that write side by side
 * alternate, so a range holds any number of entities. Made of slices of the block: nothing is parsed.
 */
export class DeltaRange {
  readonly #block: Block;
  readonly #runId: string;
  readonly #parts = new Map<string, Part>();
  count = 0;
  last = 0;

  constructor(block: Block, runId: string) {
    this.#block = block;
    this.#runId = runId;
  }

  /** False where fewer frames would not come of it. */
  get merges(): boolean {
    return this.count > this.#parts.size;
  }

  /** Each entity's first: all there is, where nothing merges. */
  get numbers(): readonly number[] {
    return [...this.#parts.values()].map(({ first }) => first);
  }

  /** False: not a delta, of another run, or its entity goes on with another envelope (a new `traceparent`, for example). */
  add(seq: number, { entity, runId, type, start, end, deltaBytes = 0 }: Entry): boolean {
    if (entity === undefined || runId !== this.#runId) return false;
    const { bytes, epoch } = this.#block;
    const rest = start + eventFrameOffsets(epoch, seq, type).rest;
    const text = end - END.length - deltaBytes;
    const part = this.#parts.get(entity);
    if (part) {
      // The time between the two may differ; times of different length make the rest differ too, which is as well.
      if (!sameBytes(bytes, part.about, part.text, rest + part.about - part.rest, text)) return false;
      part.texts.push(text, text + deltaBytes);
      part.last = seq;
      part.count++;
    } else {
      const about = behindQuotes(bytes, rest, 20);
      this.#parts.set(entity, {
        ...{ type, first: seq, last: seq, count: 1 },
        ...{ rest, about, text, texts: [text, text + deltaBytes] },
      });
    }
    this.last = seq;
    this.count++;
    return true;
  }

  /** Writes one frame, whose predecessor in the view is `prev`. */
  write(frames: Slices, prev: number, asMessages: boolean): void {
    const { count, last } = this;
    const { bytes, epoch } = this.#block;
    const parts = [...this.#parts.values()];
    const [{ type, first, rest, about }] = parts as [Part];
    const alone = parts.length === 1;
    const name = alone ? type : MERGED_DELTAS;
    const numbers = { seq: last, prev, first, count };
    frames.insert(utf8(mergedFrameHead(epoch, asMessages ? undefined : name, numbers)));
    if (alone) {
      writePart(frames, parts[0]!, END);
      return;
    }
    const typeAt = behindQuotes(bytes, rest, 12) + 1;
    frames.add(rest, typeAt);
    frames.insert(utf8(`"type":"${MERGED_DELTAS}"`));
    frames.add(typeAt + `"type":"${type}"`.length, about);
    frames.insert(utf8(',"data":{"deltas":['));
    for (const [i, part] of parts.entries()) {
      const { first, last, count } = part;
      frames.insert(utf8(`${i > 0 ? ',' : ''}{"seq":${last},"first":${first},"count":${count},`));
      writePart(frames, part, '"}}');
    }
    frames.insert(utf8(']}}\n\n'));
  }
}

/** What stands behind the text of a delta in its frame. */
const END = '"}}\n\n';

function writePart(frames: Slices, { rest, text, texts }: Part, end: string): void {
  frames.add(rest, text);
  for (let i = 0; i < texts.length; i += 2) frames.add(texts[i]!, texts[i + 1]!);
  frames.insert(utf8(end));
}

/**
 * The offset behind the nth quote. What an event's envelope begins with (epoch, threadId, runId, type, time: four quotes
 * each) contains neither quotes nor escapes.
 */
function behindQuotes(bytes: Uint8Array, from: number, n: number): number {
  let at = from;
  for (let left = n; left > 0; at++) if (bytes[at] === QUOTE) left--;
  return at;
}

const QUOTE = 0x22;

function sameBytes(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = 0; i < aEnd - a; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

const encoder = new TextEncoder();
const utf8 = (text: string): Uint8Array => encoder.encode(text);
