/** Serves the page and, on the same origin, Telltale: `node server.ts [port] [folder of the log] [change requests as CSV]`. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { telltale } from 'telltale';
import { modelOf, RULES } from '../model.ts';
import { opsOf } from './agent.ts';
import { parseChanges } from './changes.ts';

const here = (file: string): URL => new URL(file, import.meta.url);
const [port = '4747', store = './.telltale', csv] = process.argv.slice(2);
const model = await modelOf(process.env);
const changes = parseChanges(await readFile(csv ?? here('changes.csv'), 'utf8'));
const app = telltale({ store });

app.agent('ops', opsOf(changes, model));

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/page.js': ['page.js', 'text/javascript'],
  '/flyout.js': ['flyout.js', 'text/javascript'],
  '/page.css': ['page.css', 'text/css'],
  '/house.css': ['../house.css', 'text/css'],
};

const server = createServer(async (request, response) => {
  const file = FILES[request.url?.split('?')[0] ?? ''];
  if (!file) return app.handler(request, response);
  const text = await readFile(here(file[0]), 'utf8');
  response.setHeader('content-type', `${file[1]}; charset=utf-8`);
  return response.end(text.replace('%ANSWERED_BY%', model?.label ?? RULES));
});
await once(server.listen(Number(port), '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
console.error(`Answered by: ${model?.label ?? RULES}. Ctrl-C stops it.`);
