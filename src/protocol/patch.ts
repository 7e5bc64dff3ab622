import type { EventData } from './event.ts';

type Patch = EventData<'state.patched'>['patch'];
type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/**
 * JSON Patch (RFC 6902), all or nothing, without touching the document it is given. Written here rather than imported:
 * the fold ships to browsers, and its own copy-on-write is smaller than any library's deep clone.
 */
export function applyPatch(document: unknown, patch: Patch): Outcome {
  let value = document;
  for (const [index, operation] of patch.entries()) {
    const next = applyOne(value, operation);
    if (!next.ok)
      return { ok: false, problem: `operation ${index} (${operation.op} ${operation.path}): ${next.problem}` };
    value = next.value;
  }
  return { ok: true, value };
}

function applyOne(document: unknown, operation: Patch[number]): Outcome {
  switch (operation.op) {
    case 'add':
    case 'replace':
      return write(document, parse(operation.path), operation.op, operation.value);
    case 'remove':
      return write(document, parse(operation.path), 'remove');
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
          ? write(document, parse(operation.from), 'remove')
          : { ok: true as const, value: document };
      return base.ok ? write(base.value, parse(operation.path), 'add', found.value) : base;
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

/** Own members only: "constructor" and "__proto__" are names like any other. */
function child(value: unknown, token: string): { value: unknown } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value) && !/^(?:0|[1-9]\d*)$/.test(token)) return undefined;
  return Object.hasOwn(value, token) ? { value: (value as Record<string, unknown>)[token] } : undefined;
}

function write(document: unknown, path: readonly string[], op: 'add' | 'replace' | 'remove', value?: unknown): Outcome {
  const [token, ...rest] = path;
  if (token === undefined) return op === 'remove' ? fail('the whole document cannot be removed') : { ok: true, value };
  if (typeof document !== 'object' || document === null) return fail(`"${token}" of something that is no object`);
  const found = child(document, token);
  if (rest.length > 0) {
    if (!found) return fail(`there is no "${token}"`);
    const inner = write(found.value, rest, op, value);
    return inner.ok ? { ok: true, value: put(document, token, inner.value) } : inner;
  }
  if (op !== 'add' && !found) return fail(`there is no "${token}"`);
  if (!Array.isArray(document))
    return { ok: true, value: op === 'remove' ? without(document, token) : put(document, token, value) };
  const index = token === '-' && op === 'add' ? document.length : Number(token);
  if (op === 'add' && !(Number.isInteger(index) && index >= 0 && index <= document.length))
    return fail(`no place "${token}"`);
  const inserted = op === 'remove' ? [] : [value];
  return { ok: true, value: document.toSpliced(index, op === 'add' ? 0 : 1, ...inserted) };
}

function put(container: object, token: string, value: unknown): unknown {
  if (Array.isArray(container)) return container.with(Number(token), value);
  return Object.fromEntries([...Object.entries(container).filter(([key]) => key !== token), [token, value]]);
}

const without = (container: object, token: string): unknown =>
  Object.fromEntries(Object.entries(container).filter(([key]) => key !== token));

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
