import { crc32 } from 'node:zlib';

/**
 * A value as LevelDB keeps it: a CRC-32 over key and value, then the value. LevelDB does not check what it reads (a
 * flipped bit came back as data when tried), and a value under another's key would pass a check over the value alone.
 */
export function seal(key: string, value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafe(4 + value.length);
  sealed.set(value, 4);
  sealed.writeUInt32LE(crc32(value, crc32(key)), 0);
  return sealed;
}

/** The value, sharing the bytes; `undefined` where it is not what was sealed under this key. */
export function unseal(key: string, sealed: Buffer): Buffer | undefined {
  if (sealed.length < 4) return undefined;
  const value = sealed.subarray(4);
  return crc32(value, crc32(key)) === sealed.readUInt32LE(0) ? value : undefined;
}

export const sealJson = (key: string, value: unknown): Buffer => seal(key, Buffer.from(JSON.stringify(value)));

/** Parses what `sealJson` wrote; `undefined` where it is damaged. */
export function unsealJson<T>(key: string, sealed: Buffer): T | undefined {
  const value = unseal(key, sealed);
  return value && (JSON.parse(value.toString()) as T);
}

/** The CRC as stored: with it, a set of values can be summed up without reading them again. */
export const checksumOf = (sealed: Buffer): number => (sealed.length < 4 ? 0 : sealed.readUInt32LE(0));
