import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bundle } from './bundle.fixture.ts';

/** The table of docs/client.md: what is imported, and the bytes that it says a page ships. */
const docs = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');
const stated = [...docs.matchAll(/^\| `import \{ (.+) \}` \| ([\d,]+) \|/gm)].map(
  ([, names = '', bytes = '']) => [names, Number(bytes.replaceAll(',', ''))] as const,
);

describe('what a page ships', () => {
  test.each(stated)('{ %s } is %i bytes, as docs/client.md says, give or take 2 % of room', async (names, bytes) => {
    const { gzip } = await bundle(`export { ${names} } from './index.ts';`);
    expect(gzip).toBeLessThanOrEqual(bytes);
    expect(gzip).toBeGreaterThan(bytes / 1.02);
  });

  test('is stated for whoever watches, follows and produces', () => {
    expect(stated.map(([names]) => names)).toEqual(expect.arrayContaining(['createClient', 'follow', 'Producer']));
  });

  test('of the client is at most 16 KiB, whatever is imported of it', async () => {
    const { gzip } = await bundle(`export * from './index.ts';`);
    expect(gzip).toBeLessThanOrEqual(16 * 1024);
  });
});

test('a page that watches runs ships nothing of the server, and no other part of the client', async () => {
  const { code, modules } = await bundle(`export { createClient } from './index.ts';`);
  const foreign = modules.filter((it) => !/^src\/(client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
  expect(modules).not.toContain('src/client/producer.ts');
  expect(modules).not.toContain('src/client/follow.ts');
  // The server's half of the protocol: schemas, the writer of frames, blocks, the titles of errors.
  for (const part of ['event', 'frame', 'block', 'encode', 'problem'])
    expect(modules).not.toContain(`src/protocol/${part}.ts`);
  expect(code).not.toContain('Something went wrong on our side');
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
