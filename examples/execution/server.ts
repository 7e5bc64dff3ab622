/** Serves the page and, on the same origin, Telltale: `node server.ts [port] [folder of the log] [folder to write about]`. */
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { telltale } from 'telltale';
import { build, type Rolldown } from 'vite';
import { modelOf, RULES } from '../model.ts';
import { buildPage } from './builder.ts';

const [port = '4747', store = './.telltale', folder = process.env.INIT_CWD ?? '.'] = process.argv.slice(2);
/** Where the pages are written, a folder for each execution. */
const workspace = store === 'memory:' ? await mkdtemp(join(tmpdir(), 'telltale-pages-')) : `${store}-pages`;
const model = await modelOf(process.env);
const app = telltale({ store });

app.agent('builder', (run, task) => buildPage(run, String(task), { folder, workspace }, model));

const built = await build({
  root: import.meta.dirname,
  logLevel: 'error',
  configFile: false,
  // `telltale` from the sources of this repository.
  resolve: { conditions: ['telltale-source'] },
  define: { ANSWERED_BY: JSON.stringify(model?.label ?? RULES) },
  build: { write: false },
});
const files = new Map(
  (built as Rolldown.RolldownOutput).output.map((it) => [`/${it.fileName}`, it.type === 'chunk' ? it.code : it.source]),
);
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
/** What was written. The names are ours, and the id can be no path. */
const PAGE = /^\/pages\/([A-Za-z0-9_-]{1,32})\/(index\.html|style\.css)$/;

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const path = pathname === '/' ? '/index.html' : pathname;
  const [, id, name] = PAGE.exec(path) ?? [];
  const file = id ? await readFile(join(workspace, id, name!)).catch(() => undefined) : files.get(path);
  if (file === undefined) return app.handler(request, response);
  response.setHeader('content-type', `${TYPES[extname(path)]}; charset=utf-8`);
  // A model may have written it: no scripts, and nothing from elsewhere.
  if (id)
    response.setHeader('content-security-policy', "sandbox allow-same-origin; default-src 'none'; style-src 'self'");
  return response.end(file);
});
await once(server.listen(Number(port), '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
console.error(`Answered by: ${model?.label ?? RULES}. Pages are written to ${workspace}. Ctrl-C stops it.`);
