import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { telltale } from '../index.ts';
import { compose } from './answer.ts';
import { understand } from './rules/question.ts';
import { Workspace } from './workspace.ts';

test('an answer leaves out what no longer stands there, and says each place once', async () => {
  const root = mkdtempSync(join(tmpdir(), 'telltale-answer-'));
  writeFileSync(join(root, 'a.md'), 'one\ntwo\n');
  const app = telltale({ store: 'memory:' });
  app.agent('composer', async (run) => {
    const findings = [
      { path: 'a.md', line: 1, quote: 'one' },
      { path: 'a.md', line: 1, quote: 'on' },
      { path: 'a.md', line: 2, quote: 'changed since' },
      { path: 'gone.md', line: 1, quote: 'gone' },
      { path: 'a.md', line: 9, quote: 'beyond the end' },
    ];
    const contributions = [{ name: 'Documents', report: { notes: [], findings } }];
    await run.say(compose(run, await Workspace.open(root), understand('one?'), '.', contributions));
  });
  try {
    const run = await app.start({ agent: 'composer' });
    const { sources, messages } = await run.finished();
    expect(sources).toEqual([{ sourceId: 'a.md:1', path: 'a.md', line: 1, quote: 'one' }]);
    expect(messages[0]?.text).toContain('3 places changed while I was reading and are left out.');
  } finally {
    await app.close();
    rmSync(root, { recursive: true, force: true });
  }
});
