import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program of the system is; `undefined` where it is not installed. */
export function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

export const has = (program: string): boolean => find(program) !== undefined;
