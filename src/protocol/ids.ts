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

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** An id as another system may spell it: a UUID, which is too long for an id here, stands for its 32 digits. */
export const spelledId = (text: string): string => (UUID.test(text) ? text.replaceAll('-', '').toLowerCase() : text);
