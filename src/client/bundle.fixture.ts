import { relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, type InlineConfig, mergeConfig, type Rolldown } from 'vite';

const ROOT = new URL('../..', import.meta.url).pathname;

export interface Shipped {
  readonly code: string;
  /** Bytes, minified and compressed. */
  readonly gzip: number;
  /** The modules of which something is left, below the repository. */
  readonly modules: readonly string[];
}

/** What comes with a page. */
export interface Bundle extends Shipped {
  /** What is loaded where it is needed, by the name of the module that is asked for. */
  readonly later: ReadonlyMap<string, Shipped>;
  /** All files by their names, the one to begin with first. */
  readonly files: ReadonlyMap<string, string>;
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
  const isOwn = (id: string): boolean => !id.startsWith('\0') && id !== entry;
  const shipped = (chunks: readonly Rolldown.OutputChunk[]): Shipped => {
    const code = chunks.map((it) => it.code).join('\n');
    const modules = chunks.flatMap((it) => Object.entries(it.modules));
    const left = modules.filter(([id, { renderedLength }]) => renderedLength > 0 && isOwn(id)).map(([id]) => id);
    return { code, gzip: gzipSync(code, { level: 9 }).length, modules: left.map((id) => relative(ROOT, id)) };
  };
  const first = all.filter((it) => it.isEntry);
  for (const chunk of first) {
    first.push(...all.filter((it) => chunk.imports.includes(it.fileName) && !first.includes(it)));
  }
  const later = all.filter((it) => !first.includes(it));
  return {
    ...shipped(first),
    later: new Map(later.map((it) => [it.name, shipped([it])])),
    files: new Map([...first, ...later].map((it) => [it.fileName, it.code])),
  };
}
