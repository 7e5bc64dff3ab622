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

/** What a page that imports this ships: one minified module, as Vite builds it. */
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
        load: (id: string) => (id === entry ? source : undefined),
      },
    ],
    build: {
      write: false,
      target: 'es2023',
      modulePreload: false,
      rolldownOptions: { input: entry, preserveEntrySignatures: 'strict' },
    },
  };
  const built = (await build(mergeConfig(config, more))) as Rolldown.RolldownOutput;
  const chunks = built.output.filter((it) => it.type === 'chunk');
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
