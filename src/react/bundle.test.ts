import { expect, test } from 'vitest';
import { bundle } from '../client/bundle.fixture.ts';
import { GROUND } from '../client/ground.fixture.ts';

const external = { build: { rolldownOptions: { external: ['react'] } } };
const HOOKS =
  'TelltaleProvider, useTelltale, useRun, useSuspenseRun, useRuns, useThread, useStartRun, useRunEvents, useThinking, useConnection';

test('client and hooks are at most 8.5 KiB compressed, with the timeline 9 KiB, beside React and what the client stands on', async () => {
  const client = `export { createClient } from './index.ts';`;
  const ground = await bundle(GROUND);
  const hooks = await bundle(`export { ${HOOKS} } from '../react/index.ts'; ${client}`, external);
  const all = await bundle(`export * from '../react/index.ts'; ${client}`, external);
  expect(hooks.gzip - ground.gzip).toBeLessThanOrEqual(8_704);
  expect(all.gzip - ground.gzip).toBeLessThanOrEqual(9_216);
  const foreign = all.modules.filter((it) => !/^src\/(react|client|protocol)\//.test(it));
  expect(foreign.filter((it) => !it.startsWith('node_modules/eventsource-parser/'))).toEqual([]);
});

test('a page that watches one run ships no timeline and no list of events', async () => {
  const page = await bundle(`export { TelltaleProvider, useRun } from '../react/index.ts';`, external);
  expect(page.modules).toContain('src/react/use-run.ts');
  for (const part of ['timeline', 'event-list']) expect(page.modules).not.toContain(`src/react/${part}.ts`);
});
