import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { parseSync } from 'vite';
import { describe, expect, test } from 'vitest';

/** Height of every room; imports go down only. Rooms of one floor do not see each other. */
const FLOOR: Record<string, number> = {
  protocol: 0,
  log: 1,
  dialects: 1,
  adapters: 1,
  hub: 2,
  runs: 2,
  client: 2,
  http: 3,
  ops: 3,
  react: 3,
  rxjs: 3,
  element: 3,
  cli: 4,
  agents: 3,
  index: 4,
  // Published suites: they see interfaces of every floor, never an implementation.
  testing: 4,
};
/** Rooms that run in browsers. */
const PORTABLE = new Set(['protocol', 'dialects', 'client', 'react', 'rxjs', 'element']);
/** Where siblings of one floor may still meet: each store is an entry of its own, chosen and loaded by `index`. */
const STORES = /^log\/(memory|embedded|redis)\b/;

type Tree = Readonly<Record<string, string>>;

/** Every import of `tree` (path below src/ → source text) that goes against the floors, as a sentence. */
function violations(tree: Tree): string[] {
  const found: string[] = [];
  for (const [file, source] of Object.entries(tree)) {
    const room = roomOf(file);
    if (FLOOR[room] === undefined) {
      found.push(`${file}: "${room}" is no room of this house`);
      continue;
    }
    if (room !== 'cli' && /\bprocess\.env\b/.test(source)) found.push(`${file}: only cli reads environment variables`);
    for (const specifier of imports(file, source)) {
      if (!specifier.startsWith('.')) {
        if (PORTABLE.has(room) && specifier.startsWith('node:'))
          found.push(`${file}: ${specifier} does not run in a browser`);
        continue;
      }
      const target = posix.normalize(posix.join(dirname(file), specifier));
      const problem = judge(file, target);
      if (problem) found.push(`${file}: ${specifier} ${problem}`);
    }
  }
  return found;
}

function judge(file: string, target: string): string | undefined {
  const from = roomOf(file);
  const to = roomOf(target);
  if (from === to) {
    if (from !== 'log') return undefined;
    const [store, other] = [STORES.exec(file)?.[1], STORES.exec(target)?.[1]];
    return other !== undefined && other !== store ? 'is another store' : undefined;
  }
  const [here, there] = [FLOOR[from] as number, FLOOR[to]];
  if (there === undefined) return 'leads out of the house';
  if (from === 'testing' && STORES.test(target)) return 'is an implementation';
  if (there === here && to === 'index') return undefined;
  if (there === here && from === 'index') return undefined;
  if (there === here) return 'is a sibling';
  if (there > here) return 'is on a higher floor';
  if (STORES.test(target)) return from === 'index' ? undefined : 'is a store; only index chooses one';
  return target.endsWith('/index.ts') ? undefined : 'does not go through the index.ts of its floor';
}

const roomOf = (file: string): string => {
  const [first = '', second] = file.split('/');
  return second === undefined ? first.replace(/\.tsx?$/, '') : first;
};

function imports(file: string, source: string): string[] {
  const { module } = parseSync(file, source, { lang: file.endsWith('x') ? 'tsx' : 'ts' });
  return [
    ...module.staticImports.map((it) => it.moduleRequest.value),
    ...module.staticExports.flatMap((it) => it.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((it) => source.slice(it.moduleRequest.start + 1, it.moduleRequest.end - 1)),
  ];
}

describe('the floors (who may import what)', () => {
  test('no file of src/ imports against them', () => {
    const root = import.meta.dirname;
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((it) =>
      /(?<!\.(?:test|fixture))\.tsx?$/.test(it),
    );
    expect(files.length).toBeGreaterThan(20);
    expect(violations(Object.fromEntries(files.map((it) => [it, readFileSync(join(root, it), 'utf8')])))).toEqual([]);
  });

  test.each([
    ['upward', { 'protocol/a.ts': `import { Hub } from '../hub/index.ts'` }, 'is on a higher floor'],
    ['upward, in an export', { 'log/a.ts': `export * from '../runs/index.ts'` }, 'is on a higher floor'],
    ['upward, as a type', { 'log/a.ts': `import type { Hub } from '../hub/index.ts'` }, 'is on a higher floor'],
    ['upward, when needed', { 'hub/a.ts': `await import('../http/index.ts')` }, 'is on a higher floor'],
    ['sideways', { 'hub/a.ts': `import { Runs } from '../runs/index.ts'` }, 'is a sibling'],
    ['from store to store', { 'log/memory.ts': `import './embedded/index.ts'` }, 'is another store'],
    ['past the index', { 'hub/a.ts': `import { locate } from '../protocol/cursor.ts'` }, 'does not go through'],
    ['of a store from below index', { 'hub/a.ts': `import '../log/memory.ts'` }, 'is a store'],
    ['out of the house', { 'hub/a.ts': `import '../../bench/load.ts'` }, 'leads out'],
    ['of Node in a browser room', { 'protocol/a.ts': `import 'node:fs'` }, 'does not run in a browser'],
    ['of the environment', { 'http/a.ts': 'export const port = process.env.PORT' }, 'only cli'],
    ['from a room nobody planned', { 'utils/a.ts': '' }, 'is no room'],
  ])('an import %s is found', (_name, tree, problem) => {
    expect(violations(tree as unknown as Tree)).toEqual([expect.stringContaining(problem)]);
  });

  test('imports that go down through an index pass', () => {
    const tree = {
      'index.ts': `import { Hub } from './hub/index.ts'; const it = () => import('./log/memory.ts');`,
      'cli/main.ts': `import { telltale } from '../index.ts'; process.env.PORT;`,
      'hub/a.ts': `import { b } from './b.ts'; import type { Log } from '../log/index.ts';`,
      'log/memory.ts': `import { state } from './thread-state.ts';`,
    };
    expect(violations(tree)).toEqual([]);
  });
});
