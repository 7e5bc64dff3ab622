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
