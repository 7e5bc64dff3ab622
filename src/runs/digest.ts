import { hash } from 'node:crypto';

/** SHA-256 of a JSON value with the members of objects in order: the same content, however it was written, has the same. */
export const digestOf = (value: unknown): string => hash('sha256', JSON.stringify(value, inOrder));

/** Objects with their members sorted by name. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
