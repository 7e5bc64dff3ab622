/**
 * The composite cursor: where a viewer of several streams stands in each of them, short enough to be the id of every
 * frame (PROTOCOL.md section 4). Sixteen parts of at most 32 characters, so 512 at most.
 */
import type { Cursor, Head } from './cursor.ts';

/** How many streams one connection carries at most. */
export const MAX_STREAMS = 16;

/** A position in one of the streams. Names are cut down to 30 bits, so that sixteen parts fit. */
export interface CursorPart {
  /** `digest` of the stream's name. */
  readonly key: string;
  /** `digest` of the epoch that numbered `seq`. */
  readonly epoch: string;
  readonly seq: number;
  /** As in `Cursor`. */
  readonly k?: number;
}

// Deterministic at every character, and looked at only up to its greatest length: linear, whatever is thrown at it.
const PART = '~[A-Za-z0-9_-]{10}\\.(?:0|[1-9]\\d{0,15})(?:\\.[1-9]\\d{0,2})?';
const COMPOSITE = new RegExp(`^(?:${PART}){1,${MAX_STREAMS}}$`);
const MAX_LENGTH = 32 * MAX_STREAMS;

/** Reads a composite cursor: its parts by key. `undefined` for anything that is not exactly one. Never throws. */
export function parseComposite(text: string): ReadonlyMap<string, CursorPart> | undefined {
  if (text.length > MAX_LENGTH || !COMPOSITE.test(text)) return undefined;
  const parts = new Map<string, CursorPart>();
  for (const part of text.slice(1).split('~')) {
    const [names, digits, k] = part.split('.') as [string, string, string?];
    const key = names.slice(0, 5);
    const seq = Number(digits);
    if (!Number.isSafeInteger(seq) || parts.has(key)) return undefined;
    parts.set(key, { key, epoch: names.slice(5), seq, ...(k !== undefined && { k: Number(k) }) });
  }
  return parts;
}

/** A part as it stands in a composite cursor, which is nothing but its parts in a row. */
export function formatPart({ key, epoch, seq, k }: CursorPart): string {
  return `~${key}${epoch}.${seq}${k === undefined ? '' : `.${k}`}`;
}

/**
 * The cursor that a part stands for in a thread. Where none of the thread's epochs fits, its epoch is one that no thread
 * has; where several do, it is the oldest, so that a viewer is rather told of a reset than left with a hole.
 */
export function cursorOfPart({ epoch, seq, k }: CursorPart, head: Head): Cursor {
  const known = head.epochs.find(({ id }) => digest(id) === epoch);
  return { epoch: known?.id ?? '', seq, ...(k !== undefined && { k }) };
}

/** The key of a stream, by its name: `run:<id>` or `thread:<id>`. */
export const streamKey = (name: string): string => digest(name);

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/**
 * 30 bits of an ASCII text in five characters: FNV-1a of 32 bits, its upper two folded into the rest.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9923
 */
export function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  const bits = (hash & 0x3fffffff) ^ (hash >>> 30);
  return [24, 18, 12, 6, 0].map((shift) => ALPHABET[(bits >>> shift) & 63]).join('');
}
