import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bundle } from './bundle.fixture.ts';

/** The tables of docs/client.md: what is imported, what is loaded later, and the bytes that this is said to be. */
const docs = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');
const rowsOf = (pattern: RegExp) =>
  [...docs.matchAll(pattern)].map(([, names = '', bytes = '']) => [names, Number(bytes.replaceAll(',', ''))] as const);
const stated = rowsOf(/^\| `import \{ (.+) \}` \| ([\d,]+) \|/gm);
const later = rowsOf(/^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| ([\d,]+) \|/gm);

/** At most so many bytes, and not so few that the docs should say less. */
function expectSize(gzip: number, bytes: number, room: number): void {
  expect(gzip).toBeLessThanOrEqual(bytes);
  expect(gzip).toBeGreaterThan(bytes * (1 - room));
}

describe('what a page ships', () => {
  test.each(stated)('{ %s } is %i bytes, as docs/client.md says, give or take 2 % of room', async (names, bytes) => {
    const { gzip } = await bundle(`export { ${names} } from './index.ts';`);
    expectSize(gzip, bytes, 0.02);
  });

  test.each(later)('%s is %i bytes, as docs/client.md says, give or take 5 % of room', async (names, bytes) => {
    const { later } = await bundle(`export { createClient } from './index.ts';`);
    const sizes = [...names.matchAll(/[a-z-]+/g)].map(([name]) => later.get(name)?.gzip ?? Number.NaN);
    expectSize(
      sizes.reduce((sum, size) => sum + size),
      bytes,
      0.05,
    );
  });

  test('and every part of it is stated', async () => {
    const built = await bundle(`export { createClient } from './index.ts';`);
    const names = later.flatMap(([names]) => [...names.matchAll(/[a-z-]+/g)].map(String));
    expect(names.sort()).toEqual([...built.later.keys()].sort());
  });

  test('is stated for whoever watches, follows and produces', () => {
    expect(stated.map(([names]) => names)).toEqual(expect.arrayContaining(['createClient', 'follow', 'Producer']));
  });

  test('of the client is at most 6 KiB at first, and 16 KiB in all for who watches a run', async () => {
    const { gzip, later } = await bundle(`export { createClient } from './index.ts';`);
    expect(gzip).toBeLessThanOrEqual(6 * 1024);
    const parts = ['stream', 'logs'].map((name) => later.get(name)?.gzip ?? Number.NaN);
    expect(parts.reduce((sum, size) => sum + size, gzip)).toBeLessThanOrEqual(16 * 1024);
  });
});

test('a page that watches runs ships nothing of the server, and no other part of the client', async () => {
  const { later, ...first } = await bundle(`export { createClient } from './index.ts';`);
  const all = [first, ...later.values()];
  const modules = all.flatMap((it) => it.modules);
  const code = all.map((it) => it.code).join('');
  const foreign = modules.filter((it) => !/^src\/(client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
  expect(modules).not.toContain('src/client/producer.ts');
  expect(modules).not.toContain('src/client/follow.ts');
  // The server's half of the protocol: schemas, the writer of frames, blocks, the titles of errors.
  for (const part of ['event', 'frame', 'block', 'encode', 'problem'])
    expect(modules).not.toContain(`src/protocol/${part}.ts`);
  expect(code).not.toContain('Something went wrong on our side');
});

test('no part waits for another: what comes later imports only what comes with the page', async () => {
  const { later, files } = await bundle(`export { createClient } from './index.ts';`);
  const first = [...files.keys()].slice(0, files.size - later.size);
  for (const part of ['stream', 'logs', 'requests', 'run-list', 'refusal']) {
    const imported = [...(later.get(part)?.code ?? '').matchAll(/from"\.\/([^"]+)"/g)].map(
      ([, file]) => `assets/${file}`,
    );
    expect(imported.filter((it) => !first.includes(it))).toEqual([]);
  }
});

test('a page that follows ships no fold and no store', async () => {
  const { modules } = await bundle(`export { follow } from './index.ts';`);
  expect(modules).not.toContain('src/client/store.ts');
  expect(modules).not.toContain('src/protocol/reduce.ts');
  expect(modules).not.toContain('src/protocol/patch.ts');
});

test('a producer ships no store, and no parser of streams', async () => {
  const { modules } = await bundle(`export { Producer } from './index.ts';`);
  expect(modules).not.toContain('src/client/store.ts');
  expect(modules).not.toContain('src/protocol/reduce.ts');
  expect(modules.filter((it) => it.startsWith('node_modules/'))).toEqual([]);
});
