import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
/** The lines that each of their components may have. */
const PAGES = { react: [10, 18], parts: [20], 'doors/execution': [16] };

test('the components of docs/react.md, docs/parts.md and docs/doors/execution.md compile as they stand there, against what is exported', async () => {
  // Below the repository, where the package finds itself by its name.
  const folder = join(root, 'node_modules', '.docs-react');
  await mkdir(folder, { recursive: true });
  try {
    const files: string[] = [];
    for (const [page, lines] of Object.entries(PAGES)) {
      const docs = await readFile(join(root, `docs/${page}.md`), 'utf8');
      const sources = [...docs.matchAll(/```tsx\n(import [\s\S]*?)```/g)].map(([, source = '']) => source);
      for (const [i, most] of lines.entries()) {
        const source = sources[i] ?? '';
        expect(source.split('\n').filter((it) => it.trim()).length).toBeLessThanOrEqual(most);
        const file = `${page.replace('/', '-')}-${i}.tsx`;
        await writeFile(join(folder, file), source);
        files.push(file);
      }
    }
    const options = { extends: '../../tsconfig.json', compilerOptions: { customConditions: ['telltale-source'] } };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ ...options, files }));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/tsc'), ['-p', folder]).catch((it) => it);
    expect(stdout).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
