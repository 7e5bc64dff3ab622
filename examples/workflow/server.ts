/** Serves the page and, on the same origin, Telltale: `node server.ts [port] [folder of the log] [folder to survey]`. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { telltale } from 'telltale';
import { modelOf, RULES } from '../model.ts';
import { PLAY_MONEY, survey } from './survey.ts';

const [port = '4747', store = './.telltale', folder = process.env.INIT_CWD ?? '.'] = process.argv.slice(2);
const model = await modelOf(process.env);
const app = telltale({ store, prices: model ? 'genai-prices' : PLAY_MONEY });

app.agent('survey', (run, question) => survey(run, String(question), folder, model), {
  budget: { maxCost: model ? 0.05 : 1, currency: model ? 'USD' : 'XTS', onExceeded: 'pause' },
});

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/page.js': ['page.js', 'text/javascript'],
  '/page.css': ['page.css', 'text/css'],
  '/house.css': ['../house.css', 'text/css'],
};

const server = createServer(async (request, response) => {
  const file = FILES[request.url?.split('?')[0] ?? ''];
  if (!file) return app.handler(request, response);
  const text = await readFile(new URL(file[0], import.meta.url), 'utf8');
  response.setHeader('content-type', `${file[1]}; charset=utf-8`);
  return response.end(text.replace('%ANSWERED_BY%', model?.label ?? RULES));
});
await once(server.listen(Number(port), '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
console.error(`Answered by: ${model?.label ?? RULES}. Ctrl-C stops it.`);
