import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type InlineConfig, mergeConfig, type Rolldown } from 'vite';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Bundle {
  readonly code: string;
  /** Bytes, minified and compressed. */
  readonly gzip: number;
  /** The modules of which something is left, below the repository. */
  readonly modules: readonly string[];
}

/** Everything in one script, for a test that has nowhere to load the rest from. */
export const WHOLE: InlineConfig = { build: { rolldownOptions: { output: { codeSplitting: false } } } };

/** What a page that imports this ships at once, minified, as Vite builds it. What is loaded where it is needed is not in it. */
export async function bundle(source: string, more: InlineConfig = {}): Promise<Bundle> {
  const entry = `${ROOT}src/client/entry-of-a-page.ts`;
  const config: InlineConfig = {
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    resolve: { conditions: ['telltale-source'] },
    plugins: [
      {
        name: 'entry',
        enforce: 'pre',
        resolveId: (id: string) => (id === entry ? entry : undefined),
        load(id: string) {
          if (id === entry) return source;
          // What Vite wraps around every import() is Vite's, once per page.
          return id.endsWith('vite/preload-helper.js') ? 'export const __vitePreload = (load) => load();' : undefined;
        },
      },
    ],
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: 'allow-extension' },
    },
  };
  const built = (await build(mergeConfig(config, more))) as Rolldown.RolldownOutput;
  const all = built.output.filter((it) => it.type === 'chunk');
  const chunks = all.filter((it) => it.isEntry);
  for (const chunk of chunks) {
    chunks.push(...all.filter((it) => chunk.imports.includes(it.fileName) && !chunks.includes(it)));
  }
  const code = chunks.map((it) => it.code).join('\n');
  const modules = chunks.flatMap((it) =>
    Object.entries(it.modules).filter(([, { renderedLength }]) => renderedLength > 0),
  );
  return {
    code,
    gzip: gzipSync(code, { level: 9 }).length,
    modules: modules
      .map(([id]) => relative(ROOT, id))
      .filter((id) => !id.startsWith('\0') && id !== relative(ROOT, entry)),
  };
}
