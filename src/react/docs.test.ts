import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;

test('the component of docs/react.md compiles as it stands there, against what is exported, in ten lines', async () => {
  const docs = await readFile(join(root, 'docs/react.md'), 'utf8');
  const source = /```tsx\n(import [\s\S]*?)```/.exec(docs)?.[1] ?? '';
  expect(source.split('\n').filter((it) => it.trim()).length).toBeLessThanOrEqual(10);
  // Below the repository, where the package finds itself by its name.
  const folder = join(root, 'node_modules', '.docs-react');
  await mkdir(folder, { recursive: true });
  try {
    const options = { extends: '../../tsconfig.json', compilerOptions: { customConditions: ['telltale-source'] } };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...options, files: ['answer.tsx'] }));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await writeFile(join(folder, 'answer.tsx'), source);
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((it) => it);
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
