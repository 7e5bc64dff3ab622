import { expect, test } from 'vitest';
import { bundle } from './bundle.fixture.ts';

const KIB = 1024;
/** What the client stands on: the parser of SSE, and of the protocol the fold, cursors and errors. */
const GROUND = `
  export { createParser } from 'eventsource-parser';
  export {
    asOneChange, checkId, checkWhole, deltasOf, emptySnapshot, formatCursor, newRunId, parseCursor, reduce, TelltaleError,
  } from '../protocol/index.ts';
`;

test('a page that watches runs ships at most 6 KiB of client, on 8 KiB of fold, errors and parser', async () => {
  const page = await bundle(`export { createClient } from './index.ts';`);
  const ground = await bundle(GROUND);
  expect(ground.gzip).toBeLessThanOrEqual(8 * KIB);
  expect(page.gzip - ground.gzip).toBeLessThanOrEqual(6 * KIB);
  const foreign = page.modules.filter((it) => !/^src\/(client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
  expect(page.modules).not.toContain('src/client/producer.ts');
  expect(page.modules).not.toContain('src/client/follow.ts');
  // The server's half of the protocol: schemas, the writer of frames, blocks.
  for (const part of ['event', 'frame', 'block', 'encode'])
    expect(page.modules).not.toContain(`src/protocol/${part}.ts`);
});

test('a producer ships no store, and a store no producer', async () => {
  const producer = await bundle(`export { Producer } from './index.ts';`);
  expect(producer.modules).not.toContain('src/client/store.ts');
  expect(producer.modules).not.toContain('src/protocol/reduce.ts');
  expect(producer.gzip).toBeLessThanOrEqual(4 * KIB);
});
