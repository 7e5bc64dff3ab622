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
    const next = applyOne(value, operation, made);
    if (!next.ok)
      return { ok: false, problem: `operation ${index} (${operation.op} ${operation.path}): ${next.problem}` };
    value = next.value;
  }
  return { ok: true, value };
}

function applyOne(document: unknown, operation: Patch[number], made: Set<unknown>): Outcome {
  switch (operation.op) {
    case 'add':
    case 'replace':
      return write(document, parse(operation.path), made, operation.op, operation.value);
    case 'remove':
      return write(document, parse(operation.path), made, 'remove');
    case 'test': {
      const found = read(document, parse(operation.path));
      if (!found.ok) return found;
      return equal(found.value, operation.value) ? { ok: true, value: document } : fail('the value is another');
    }
    case 'copy':
    case 'move': {
      if (operation.op === 'move' && operation.path.startsWith(`${operation.from}/`))
        return fail('cannot move into itself');
      const found = read(document, parse(operation.from));
      if (!found.ok) return found;
      const base =
        operation.op === 'move'
          ? write(document, parse(operation.from), made, 'remove')
          : { ok: true as const, value: document };
      return base.ok ? write(base.value, parse(operation.path), made, 'add', found.value) : base;
    }
  }
}

const parse = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

const fail = (problem: string): Outcome => ({ ok: false, problem });

function read(document: unknown, path: readonly string[]): Outcome {
  let value = document;
  for (const token of path) {
    const found = child(value, token);
    if (!found) return fail(`there is no "${token}"`);
    value = found.value;
  }
  return { ok: true, value };
}

// No sign, no leading zero, no exponent (RFC 6901 section 4).
const INDEX = /^(?:0|[1-9]\d*)$/;

/** Own members only: "constructor" and "__proto__" are names like any other. */
function child(value: unknown, token: string): { value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value) && !INDEX.test(token)) return undefined;
  return Object.hasOwn(value, token) ? { value: (value as Record<string, unknown>)[token] } : undefined;
}

function write(
  document: unknown,
  path: readonly string[],
  made: Set<unknown>,
  op: 'add' | 'replace' | 'remove',
  value?: unknown,
): Outcome {
  const [token, ...rest] = path;
  if (token === undefined) return op === 'remove' ? fail('the whole document cannot be removed') : { ok: true, value };
  if (typeof document !== 'object' || document === null) return fail(`"${token}" of something that is no object`);
  const found = child(document, token);
  if (rest.length > 0) {
    if (!found) return fail(`there is no "${token}"`);
    const inner = write(found.value, rest, made, op, value);
    if (!inner.ok) return inner;
    const own = ownCopy(document, made);
    set(own, token, inner.value);
    return { ok: true, value: own };
  }
  if (op !== 'add' && !found) return fail(`there is no "${token}"`);
  const own = ownCopy(document, made);
  if (!Array.isArray(own)) {
    if (op === 'remove') delete own[token];
    else set(own, token, value);
    return { ok: true, value: own };
  }
  const index = token === '-' ? own.length : Number(token);
  if (op === 'add' && !(token === '-' || (INDEX.test(token) && index <= own.length)))
    return fail(`no place "${token}"`);
  if (op === 'remove') own.splice(index, 1);
  else own.splice(index, op === 'add' ? 0 : 1, value);
  return { ok: true, value: own };
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
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every(
      (key) => Object.hasOwn(b, key) && equal((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]),
    )
  );
}
