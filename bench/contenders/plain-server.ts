/**
 * Streams as they are usually wired by hand: a set of responses per run, and `res.write` to each of them. No history, no
 * resume, no ids that survive a restart, nothing on disk, and slow readers pile up in memory.
 */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eachEvent } from './lines.ts';

const HEARTBEAT_MS = 15_000;
const viewers = new Map<string, Set<ServerResponse>>();
let lastId = 0;

function viewersOf(run: string): Set<ServerResponse> {
  const found = viewers.get(run) ?? new Set();
  viewers.set(run, found);
  return found;
}

const server = createServer(async (request, response) => {
  const here = viewersOf(request.url ?? '');
  if (request.method === 'POST') {
    await eachEvent(request, ({ type, data }) => {
      const frame = `id: ${++lastId}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
      for (const viewer of here) viewer.write(frame);
    });
    response.writeHead(204).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(': connected\n\n');
  here.add(response);
  response.on('close', () => here.delete(response));
});

setInterval(() => {
  for (const here of viewers.values()) for (const viewer of here) viewer.write(': heartbeat\n\n');
}, HEARTBEAT_MS);

server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
