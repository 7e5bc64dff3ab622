import { TelltaleError } from './errors.ts';
import type { EventData } from './event.ts';

type Patch = EventData<'state.patched'>['patch'];
type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/**
 * JSON Patch (RFC 6902), all or nothing, without touching the document it is given. Written here rather than imported:
 * the fold ships to browsers, and its own copy-on-write is smaller than any library's deep clone.
 */
export function applyPatch(document: unknown, patch: Patch): Outcome {
  let value = document;
  // Containers that came into being in this patch are changed in place: thousands of operations on a large object would
  // otherwise copy it as often.
  let made = new Set<unknown>();
  for (const [index, operation] of patch.entries()) {
    // What is copied then stands in two places, and neither may be changed through the other: not even by the copy
    // itself, which may put a container into itself.
    if (operation.op === 'copy') made = new Set();
    try {
      value = applyOne(value, operation, made);
    } catch (error) {
      if (!(error instanceof TelltaleError)) throw error;
      return { ok: false, problem: `operation ${index} (${operation.op} ${operation.path}): ${error.message}` };
    }
  }
  return { ok: true, value };
}

/** The document after one operation. @throws {TelltaleError} what is in its way, as do all below. */
function applyOne(document: unknown, operation: Patch[number], made: Set<unknown>): unknown {
  const path = parse(operation.path);
  switch (operation.op) {
    case 'add':
    case 'replace':
      return write(document, path, made, operation.op, operation.value);
    case 'remove':
      return write(document, path, made, 'remove');
    case 'test':
      if (!equal(read(document, path), operation.value)) throw misfit('the value is another');
      return document;
    case 'copy':
    case 'move': {
      const from = parse(operation.from);
      const isMove = operation.op === 'move';
      if (isMove && operation.path.startsWith(`${operation.from}/`)) throw misfit('cannot move into itself');
      const value = read(document, from);
      return write(isMove ? write(document, from, made, 'remove') : document, path, made, 'add', value);
    }
  }
}

const parse = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

const misfit = (problem: string): TelltaleError => new TelltaleError('invalid_event', problem);

const read = (document: unknown, path: readonly string[]): unknown => path.reduce(member, document);

// No sign, no leading zero, no exponent (RFC 6901 section 4).
const INDEX = /^(?:0|[1-9]\d*)$/;

/** Own members only: "constructor" and "__proto__" are names like any other. */
function member(value: unknown, token: string): unknown {
  const isThere = isContainer(value) && (!Array.isArray(value) || INDEX.test(token)) && Object.hasOwn(value, token);
  if (!isThere) throw misfit(`there is no "${token}"`);
  return value[token];
}

const isContainer = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function write(
  document: unknown,
  path: readonly string[],
  made: Set<unknown>,
  op: 'add' | 'replace' | 'remove',
  value?: unknown,
): unknown {
  const [token, ...rest] = path;
  if (token === undefined) {
    if (op === 'remove') throw misfit('the whole document cannot be removed');
    return value;
  }
  if (rest.length > 0) {
    return write(document, [token], made, 'replace', write(member(document, token), rest, made, op, value));
  }
  if (!isContainer(document)) throw misfit(`"${token}" of something that is no object`);
  if (op !== 'add') member(document, token);
  const own = ownCopy(document, made);
  if (!Array.isArray(own)) {
    if (op === 'remove') delete own[token];
    else set(own, token, value);
    return own;
  }
  const index = token === '-' ? own.length : Number(token);
  if (op === 'add' && token !== '-' && !(INDEX.test(token) && index <= own.length)) throw misfit(`no place "${token}"`);
  if (op === 'remove') own.splice(index, 1);
  else own.splice(index, op === 'add' ? 0 : 1, value);
  return own;
}

function ownCopy(container: object, made: Set<unknown>): Record<string, unknown> | unknown[] {
  if (made.has(container)) return container as Record<string, unknown>;
  // A spread copies an own "__proto__" as a member, and sets no prototype.
  const copy = Array.isArray(container) ? container.slice() : { ...container };
  made.add(copy);
  return copy as Record<string, unknown>;
}

/** Sets a member, and for "__proto__" too only a member. */
function set(container: object, token: string, value: unknown): void {
  Object.defineProperty(container, token, { value, writable: true, enumerable: true, configurable: true });
}

function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || a === b) return true;
  if (!isContainer(a) || !isContainer(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key]));
}
