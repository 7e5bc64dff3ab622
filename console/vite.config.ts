import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { precompressed } from './precompressed.ts';

/** Where `npm run dev -w console` finds a server. */
const SERVER = process.env.TELLTALE_URL ?? 'http://127.0.0.1:4747';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

export default defineConfig({
  root: import.meta.dirname,
  // Relative: the server mounts the console wherever it is mounted itself.
  base: './',
  plugins: [precompressed()],
  // From the sources: it needs no build of the package before its own.
  resolve: {
    conditions: ['telltale-source', 'browser', 'module', 'import', 'default'],
    // What Markdown's parser knows entities by. Its own for browsers writes them into an element as HTML, which Trusted Types
    // refuse, and takes the page down with it; its table for others is 13 KB, compressed.
    alias: { 'decode-named-character-reference': fileURLToPath(new URL('src/ui/entities.ts', import.meta.url)) },
  },
  define: { 'import.meta.env.TELLTALE_VERSION': JSON.stringify(version) },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'baseline-widely-available',
    // An inline script would be needed, which the Content-Security-Policy forbids; every browser of the target preloads.
    modulePreload: { polyfill: false },
    // A file inlined as data: could be a font or a script: those are forbidden, too.
    assetsInlineLimit: 0,
    rolldownOptions: {
      onLog: (level, log, told) => {
        // The parts' 'use client' is for servers that render; here all of it is a client.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') told(level, log);
      },
    },
  },
  server: { proxy: { '/v1': SERVER } },
});
