/**
 * Any value of an agent's as plain JSON. Agents report what they have in hand: errors, maps, class instances, objects
 * that point at themselves. None of it may throw into the agent, and nothing that was there may vanish without a word.
 */
import { LIMITS } from '../protocol/index.ts';

/** More objects than this in one value are left out: a small graph of shared objects can spell out a huge tree. */
const MAX_OBJECTS = 100_000;

/**
 * A copy of `value` that `JSON.stringify` writes as it is. What JSON cannot say is described in its place: `"[circular]"`,
 * `"[function search]"`, `"[unreadable: no network]"` (a getter or toJSON that threw), `"[Uint8Array of 8 bytes]"`.
 * BigInt and numbers that are not finite become strings; Map, Set and Error their contents; undefined members go.
 * Never throws.
 */
export function plain(value: unknown): unknown {
  return walk(value, { ancestors: new Set(), objects: 0 });
}

interface Walk {
  readonly ancestors: Set<object>;
  objects: number;
}

function walk(value: unknown, state: Walk): unknown {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return `[function ${nameOf(value)}]`;
    case 'object':
      return value === null ? null : walkObject(value, state);
    default:
      return value;
  }
}

function walkObject(value: object, state: Walk): unknown {
  const { ancestors } = state;
  if (ancestors.has(value)) return '[circular]';
  if (ancestors.size >= LIMITS.jsonDepth) return '[nested too deeply]';
  if (++state.objects > MAX_OBJECTS) return '[too many objects]';
  ancestors.add(value);
  try {
    return contents(value, state);
  } catch (error) {
    return `[unreadable: ${messageOf(error)}]`;
  } finally {
    ancestors.delete(value);
  }
}

function contents(value: object, state: Walk): unknown {
  if (Array.isArray(value)) return Array.from(value, (item) => walk(item, state));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  }
  if (value instanceof Map) {
    const entries = [...value];
    if (!entries.every(([key]) => typeof key === 'string')) return walkAgain(entries, state);
    return members(entries, state);
  }
  if (value instanceof Set) return walkAgain([...value], state);
  if ('toJSON' in value && typeof value.toJSON === 'function') return walkAgain(value.toJSON(''), state);
  if (value instanceof Error) {
    const { name, message, cause } = value;
    return members([['name', name], ['message', message], ['cause', cause], ...ownEntries(value)], state);
  }
  if (value instanceof Number || value instanceof String || value instanceof Boolean) return value.valueOf();
  return members(ownEntries(value), state);
}

/** What stands for an object counts as one level with it, unless it is the object itself again. */
function walkAgain(value: unknown, state: Walk): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, state));
  return walk(value, state);
}

/** One member at a time, so that a getter that throws costs its own member only. */
function* ownEntries(value: object): Generator<[string, unknown]> {
  for (const key of Object.keys(value)) {
    let member: unknown;
    try {
      member = (value as Record<string, unknown>)[key];
    } catch (error) {
      member = `[unreadable: ${messageOf(error)}]`;
    }
    yield [key, member];
  }
}

function members(entries: Iterable<[unknown, unknown]>, state: Walk): object {
  const copy: Record<string, unknown> = {};
  for (const [key, member] of entries) {
    if (member === undefined) continue;
    const value = walk(member, state);
    // An assignment would set the copy's prototype.
    if (key === '__proto__') Object.defineProperty(copy, key, { value, enumerable: true, configurable: true });
    else copy[key as string] = value;
  }
  return copy;
}

/** The message of anything thrown, whatever it is. Never throws. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message) || thrown.name;
    if (typeof thrown === 'string') return thrown;
    if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
    return typeof thrown === 'object' ? (JSON.stringify(thrown) ?? String(thrown)) : String(thrown);
  } catch {
    return 'an error that cannot be read';
  }
}

function nameOf(value: object): string {
  try {
    const { name } = value as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : 'without a name';
  } catch {
    return 'without a name';
  }
}
