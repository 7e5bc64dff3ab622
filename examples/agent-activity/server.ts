/** Serves the page and, on the same origin, Telltale: `node server.ts [port] [folder of the log]`. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { TelltaleError, telltale } from 'telltale';
import { build, type Rolldown } from 'vite';
import { modelOf, RULES } from '../model.ts';
import { answer, type Pdf } from './agent.ts';

const [port = '4747', store = './.telltale'] = process.argv.slice(2);
const model = await modelOf(process.env);
const app = telltale({ store });

/** The newest of those that were given; the log holds what was said about them, not themselves. */
const documents = new Map<string, Pdf>();
const MOST_DOCUMENTS = 8;
const MOST_BYTES = 20 * 1024 * 1024;

app.agent('document-agent', (run, input) => {
  const { document, question } = input as { document: string; question: string };
  const pdf = documents.get(document);
  if (pdf) return answer(run, String(question), pdf, model);
  throw new TelltaleError('not_found', 'This document is no longer here. Give it again.');
});

/** Keeps a PDF for questions: 201 with the id that `input.document` of a run takes. */
async function take(request: IncomingMessage, name: string): Promise<[status: number, body: object]> {
  // A page of another origin cannot send this type: its browser would ask first, and nobody here says yes.
  if (request.headers['content-type'] !== 'application/pdf') return [415, { detail: 'Send a PDF as application/pdf.' }];
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MOST_BYTES) chunks.push(chunk);
  }
  if (size > MOST_BYTES) return [413, { detail: 'A PDF may have 20 MB.' }];
  const bytes = Buffer.concat(chunks);
  if (!bytes.subarray(0, 1024).includes('%PDF-')) return [422, { detail: `${name} is not a PDF.` }];
  const document = randomUUID();
  documents.set(document, { name, bytes: new Uint8Array(bytes) });
  for (const oldest of documents.keys()) if (documents.size > MOST_DOCUMENTS) documents.delete(oldest);
  return [201, { document }];
}

const built = await build({
  root: import.meta.dirname,
  logLevel: 'error',
  configFile: false,
  // `telltale` from the sources of this repository.
  resolve: { conditions: ['telltale-source'] },
  define: { ANSWERED_BY: JSON.stringify(model?.label ?? RULES) },
  build: { write: false },
});
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const files = new Map(
  (built as Rolldown.RolldownOutput).output.map((it) => {
    const type = `${TYPES[extname(it.fileName)]}; charset=utf-8`;
    return [`/${it.fileName}`, { type, source: it.type === 'chunk' ? it.code : it.source }];
  }),
);

const server = createServer(async (request, response) => {
  const [path = '', query] = request.url?.split('?') ?? [];
  const file = files.get(path === '/' ? '/index.html' : path);
  if (file !== undefined) return response.setHeader('content-type', file.type).end(file.source);
  if (request.method !== 'POST' || path !== '/documents') return app.handler(request, response);
  const name = new URLSearchParams(query).get('name') || 'The file';
  const [status, body] = await take(request, name).catch(() => [400, {}] as const);
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
await once(server.listen(Number(port), '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
console.error(`Answered by: ${model?.label ?? RULES}. Ctrl-C stops it.`);
