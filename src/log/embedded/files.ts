import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes all of it: a disk that is nearly full takes a part and reports the rest only when asked again. */
export async function writeFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}

/** Makes names durable: that a file was created, renamed or removed is kept in its directory, not in the file. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const SEGMENT_NAME = /^(\d{10})\.log$/;

export const segmentPath = (dir: string, segment: number): string =>
  join(dir, `${String(segment).padStart(10, '0')}.log`);

/** Numbers of the segments in a journal directory, ascending. */
export async function listSegments(dir: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const name of await readdir(dir)) {
    const match = SEGMENT_NAME.exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.sort((a, b) => a - b);
}
