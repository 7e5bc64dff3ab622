import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Outcome } from './measure/trial.ts';

const exec = promisify(execFile);
const main = join(import.meta.dirname, 'main.ts');
const canRun =
  process.platform === 'linux' && availableParallelism() > 1 && spawnSync('cc', ['--version']).status === 0;

test.skipIf(!canRun)(
  'the smallest benchmark delivers everything, and writes what it measured',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'telltale-bench-test-'));
    try {
      const json = join(folder, 'out.json');
      const only = ['--only', 'telltale disk', '--only', 'res.write'];
      const args = [main, 'hot', '--quick', '--seconds', '0.5', ...only, '--json', json];
      const { stdout } = await exec(process.execPath, args);
      expect(stdout).toMatch(/\| telltale disk .*\| 0 +\| 0 +\| 0 +\|/);
      const { found } = JSON.parse(await readFile(json, 'utf8')) as { found: { hot: Outcome[] } };
      expect(found.hot.map((it) => it.contender)).toEqual(['telltale disk', 'res.write', 'C floor']);
      for (const it of found.hot) {
        expect(it).toMatchObject({ gaps: 0, repeats: 0, missing: 0, eventsPerFrame: 1 });
        expect(it.delivered).toBeGreaterThan(0);
        expect(it.bytesPerEvent).toBeGreaterThan(250);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  60_000,
);

test('says what is wrong with its arguments', async () => {
  const { stderr } = await exec(process.execPath, [main, 'hottest']).catch((error) => error);
  expect(stderr).toMatch(/^There is no scenario hottest: hot, saturation/);
});
