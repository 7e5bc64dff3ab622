import { type CursorPart, digest, formatPart, streamKey } from '../protocol/index.ts';

/** How far a viewer was given one of its streams. */
interface Position {
  readonly key: string;
  /** Of the newest id. */
  epoch: string;
  /** What a part begins with under that epoch: `~`, key and digest. */
  head: string;
  /** The newest part; empty before there is one. */
  part: string;
}

const HEAD_BYTES = 11;

/**
 * The ids of one viewer of several streams: each tells of all (PROTOCOL.md section 4). The frames around them were
 * encoded once for all viewers and are copied as they are (measured with 16 streams: 0.9 to 1.6 µs for each frame).
 */
export class CompositeIds {
  readonly #positions = new Map<string, Position>();

  /** For streams of these names, with the parts that the viewer's own cursor has of them, by key. */
  constructor(names: Iterable<string>, known: ReadonlyMap<string, CursorPart>) {
    for (const name of names) {
      const key = streamKey(name);
      const part = known.get(key);
      this.#positions.set(name, { key, epoch: '', head: '', part: part ? formatPart(part) : '' });
    }
  }

  /** Gives frames of one stream ids that tell of all, their own part first. */
  stamp(name: string, frames: Uint8Array): Uint8Array {
    const ids = findIds(frames);
    if (ids.length === 0) return frames;
    const own = this.#positions.get(name)!;
    let others = '';
    for (const position of this.#positions.values()) if (position !== own) others += position.part;
    const source = Buffer.from(frames.buffer, frames.byteOffset, frames.length);
    const stamped = Buffer.allocUnsafe(frames.length + (ids.length / 3) * (HEAD_BYTES + others.length));
    let size = 0;
    let from = 0;
    for (let i = 0; i < ids.length; i += 3) {
      const [start, dot, end] = [ids[i]!, ids[i + 1]!, ids[i + 2]!];
      const epoch = source.toString('latin1', start, dot);
      if (epoch !== own.epoch) {
        own.epoch = epoch;
        own.head = `~${own.key}${digest(epoch)}`;
      }
      size += source.copy(stamped, size, from, start);
      size += stamped.write(own.head, size, 'latin1');
      size += source.copy(stamped, size, dot, end);
      size += stamped.write(others, size, 'latin1');
      from = end;
    }
    size += source.copy(stamped, size, from);
    own.part = own.head + source.toString('latin1', ids.at(-2), ids.at(-1));
    return stamped.subarray(0, size);
  }
}

const LF = 0x0a;
const DOT = 0x2e;
const I = 0x69;

/** Of each id, where it begins, where its epoch ends, and where it ends: `id: ` begins a frame, and no epoch has a dot. */
function findIds(frames: Uint8Array): readonly number[] {
  const ids: number[] = [];
  for (let at = 0; at < frames.length; ) {
    let end = frames.indexOf(LF, at);
    if (frames[at] === I) ids.push(at + 'id: '.length, frames.indexOf(DOT, at), end);
    while (frames[end + 1] !== LF) end = frames.indexOf(LF, end + 1);
    at = end + 2;
  }
  return ids;
}
