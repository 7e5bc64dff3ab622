import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bundle } from '../client/bundle.fixture.ts';

const external = { build: { rolldownOptions: { external: ['react'] } } };
const bundleOf = (source: string) => bundle(`${source} export { createClient } from './index.ts';`, external);
/** The table of docs/react.md: what is imported beside a client, and the bytes that this is said to add. */
const docs = readFileSync(new URL('../../docs/react.md', import.meta.url), 'utf8');
const stated = [...docs.matchAll(/^\| `export (.+) from 'telltale\/react'` \| ([\d,]+) \|/gm)].map(
  ([, names = '', bytes = '']) => [names, Number(bytes.replaceAll(',', ''))] as const,
);

test.each(stated)('%s adds at most %i bytes to a client, as docs/react.md says', async (names, bytes) => {
  const [page, client] = [await bundleOf(`export ${names} from '../react/index.ts';`), await bundleOf('')];
  expect(page.gzip - client.gzip).toBeLessThanOrEqual(bytes);
  expect(page.gzip - client.gzip).toBeGreaterThan(bytes / 1.1);
  const foreign = page.modules.filter((it) => !/^src\/(react|client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
});

test('what all hooks add is stated', () => {
  expect(stated.map(([names]) => names)).toContain('*');
});

test('a page that watches one run ships no timeline and no list of events', async () => {
  const page = await bundleOf(`export { TelltaleProvider, useRun } from '../react/index.ts';`);
  expect(page.modules).toContain('src/react/use-run.ts');
  for (const part of ['timeline', 'event-list']) expect(page.modules).not.toContain(`src/react/${part}.ts`);
});

/** The hooks that show a run; the others are for people who have a say in it. */
const WATCHING = `TelltaleProvider, useRun, useRuns, useThread, useStartRun, useRunEvents, useTimeline, useThinking,
  useConnection`;

test('client and the hooks that show runs are at most 7.25 KiB together, and what makes rows is a part of its own', async () => {
  const { gzip, modules, later } = await bundleOf(`export { ${WATCHING} } from '../react/index.ts';`);
  expect(gzip).toBeLessThanOrEqual(7.25 * 1024);
  const foldsRows = /timeline|agent-counts/;
  expect(modules.filter((it) => foldsRows.test(it))).toEqual(['src/react/use-timeline.ts']);
  expect(later.get('story')?.modules.filter((it) => foldsRows.test(it))).toContain('src/react/timeline.ts');
  expect(later.get('story')?.gzip).toBeLessThanOrEqual(5_400);
});

test('client and all hooks are at most 8.75 KiB together, and what a click needs is a part of its own', async () => {
  const { gzip, modules, later } = await bundleOf(`export * from '../react/index.ts';`);
  expect(gzip).toBeLessThanOrEqual(8.75 * 1024);
  expect(modules).not.toContain('src/react/wish.ts');
  expect(later.get('wish')?.gzip).toBeLessThanOrEqual(400);
  expect(modules).not.toContain('src/react/find.ts');
  expect(later.get('find')?.gzip).toBeLessThanOrEqual(1_500);
});
