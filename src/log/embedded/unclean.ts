import { appendFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const path = (dir: string): string => join(dir, 'unclean');

/** After so many processes in a row that ended without closing the store, damage may be what ended them. */
const SUSPICIOUS = 2;

/**
 * Notes that the store is open, until `noteClosed`. True where so many before did not come to close it that every block
 * of LevelDB is to be checked first: a table that makes it abort would otherwise do so at every start.
 */
export async function noteOpen(dir: string): Promise<boolean> {
  const before = await stat(path(dir)).then(
    ({ size }) => size,
    () => 0,
  );
  if (before >= SUSPICIOUS) await noteClosed(dir);
  await appendFile(path(dir), '.');
  return before >= SUSPICIOUS;
}

export const noteClosed = (dir: string): Promise<void> => rm(path(dir), { force: true });
