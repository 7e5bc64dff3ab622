/** Serves the page and, on the same origin, Telltale: `node server.ts [port] [folder of the log]`. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { telltale } from 'telltale';

const [port = '4747', store = './.telltale'] = process.argv.slice(2);
const app = telltale({ store });

async function* wordByWord(text: string): AsyncGenerator<string> {
  for (const word of text.split(/(?<= )/)) {
    yield word;
    await sleep(200);
  }
}

app.agent('greeter', (run, name) => run.say(wordByWord(`Hello ${name}, this is said word by word.`)));

const server = createServer(async (request, response) => {
  if (request.url?.split('?')[0] !== '/') return app.handler(request, response);
  const page = await readFile(new URL('index.html', import.meta.url));
  return response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
});
await once(server.listen(Number(port), '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
