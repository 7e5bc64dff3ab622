import type { InlineConfig } from 'vite';
import { expect, test } from 'vitest';
import { bundle } from '../../client/bundle.fixture.ts';

const external = {
  build: { rolldownOptions: { external: ['react', 'react/jsx-runtime'] as string[] } },
  // As in production: in a test run elements would carry the place they were written at.
  oxc: { jsx: { runtime: 'automatic', development: false } },
} satisfies InlineConfig;
const HOOKS = `export * from '../react/index.ts'; export { createClient } from './index.ts';`;

test('client, hooks and the parts that show a run are at most 15 KiB together', async () => {
  const { gzip, later } = await bundle(
    `export { createClient } from './index.ts';
    export { TelltaleProvider, useRun, useRuns, useThread, useStartRun, useRunEvents, useTimeline, useThinking,
      useConnection } from '../react/index.ts';
    export { Answer, BudgetMeter, ConnectionStatus, Plan, Thinking, Timeline, ToolCard } from '../react/parts/index.ts';`,
    external,
  );
  expect(gzip).toBeLessThanOrEqual(15 * 1_024);
  // As docs/parts.md says: with the questions that a row may be.
  expect(later.get('timeline-rows')?.gzip).toBeLessThanOrEqual(2_900);
});

test('all parts add at most 9.25 KiB compressed to the hooks and the client, to 17.75 in all, and no package', async () => {
  const [hooks, all] = await Promise.all([
    bundle(HOOKS, external),
    bundle(`${HOOKS} export * from '../react/parts/index.ts';`, external),
  ]);
  expect(all.gzip - hooks.gzip).toBeLessThanOrEqual(9.25 * 1_024);
  expect(all.gzip).toBeLessThanOrEqual(17.75 * 1_024);
  // As docs/parts.md says.
  expect(all.later.get('scroller')?.gzip).toBeLessThanOrEqual(2_400);
  expect(all.later.get('speaker')?.gzip).toBeLessThanOrEqual(980);
  const foreign = all.modules.filter((it) => !/^src\/(react|client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
});

test('a page ships the parts it shows, and no other', async () => {
  const { modules } = await bundle(
    `export { TelltaleProvider } from '../react/index.ts'; export { Thinking } from '../react/parts/index.ts';`,
    external,
  );
  expect(modules.filter((it) => it.endsWith('.tsx'))).toEqual([
    'src/react/parts/glyph.tsx',
    'src/react/parts/thinking.tsx',
  ]);
});
