import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'vite';
import { describe, expect, it } from 'vitest';

/** What a module, and all it imports of ours, loads at run time from elsewhere. */
function loads(file: string, seen = new Set<string>()): Set<string> {
  const foreign = new Set<string>();
  if (seen.has(file)) return foreign;
  seen.add(file);
  const source = readFileSync(file, 'utf8');
  const { module } = parseSync(file, source, { lang: 'ts' });
  expect(module.dynamicImports).toEqual([]);
  // Only `import type` and `export type` go away; with `import { type X }` an empty import of the module stays.
  const stays = ({ start, end }: { start: number; end: number }) =>
    !/^(?:im|ex)port\s+type\b/.test(source.slice(start, end));
  const requests = [
    ...module.staticImports.filter(stays).map((it) => it.moduleRequest.value),
    ...module.staticExports
      .filter(stays)
      .flatMap((it) => it.entries.map(({ moduleRequest }) => moduleRequest?.value ?? '')),
  ].filter(Boolean);
  for (const request of requests) {
    if (!request.startsWith('.')) foreign.add(request);
    else for (const it of loads(fileURLToPath(new URL(request, `file://${file}`)), seen)) foreign.add(it);
  }
  return foreign;
}

const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe('P3: in a browser', () => {
  it.each([
    'reduce.ts',
    'snapshot.ts',
    'cursor.ts',
    'composite.ts',
    'frame.ts',
    'stream.ts',
    'block.ts',
    'encode.ts',
    'patch.ts',
    'errors.ts',
    'depth.ts',
  ])('%s loads nothing but itself: no schemas, nothing of Node', (name) => {
    expect([...loads(at(name))]).toEqual([]);
  });

  it('the whole floor loads its schemas and nothing of Node', () => {
    expect([...loads(at('index.ts'))]).toEqual(['zod']);
  });
});
