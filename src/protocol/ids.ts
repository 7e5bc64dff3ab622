import { TelltaleError } from './errors.ts';

/** Ids that callers choose: short enough for a cursor, safe in a URL, a header, a file name and a Redis key. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,32}$/;

/** Event types: dotted words, also safe as the name of an SSE event. */
export const TYPE_PATTERN = /^(?=.{1,64}$)[a-z][a-zA-Z0-9]*(?:[._-][a-zA-Z0-9]+)*$/;

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_PATTERN.test(value);
}

/** @throws {TelltaleError} `invalid_request` naming the field. */
export function checkId(value: unknown, field: string): string {
  if (isId(value)) return value;
  throw new TelltaleError(
    'invalid_request',
    `${field} must be 1 to 32 characters of A-Z, a-z, 0-9, "_" and "-". Leave it out to have one made.`,
    { field },
  );
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** A random id of `length` characters of 0-9 and a-z; 25 of them carry 128 bits. */
export function randomId(length: number): string {
  const bytes = new Uint8Array(length * 2);
  let id = '';
  while (id.length < length) {
    crypto.getRandomValues(bytes);
    // 252 is the largest multiple of 36 below 256: bytes above it would favour the first letters.
    for (const byte of bytes) if (byte < 252 && id.length < length) id += ALPHABET[byte % 36];
  }
  return id;
}

/** A run id nobody can guess (128 bits), 25 characters. */
export const newRunId = (): string => randomId(25);

/** An epoch: 10 characters (51 bits), so that a cursor with a run id and all its parts stays within 64. */
export const newEpoch = (): string => randomId(10);

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An id as another system may spell it: a UUID, which is too long for an id here, stands for its 32 digits. */
export const spelledId = (text: string): string => (UUID.test(text) ? text.replaceAll('-', '').toLowerCase() : text);
