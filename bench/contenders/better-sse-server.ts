/** better-sse in node:http, as its documentation shows it: a session per viewer, a channel per run. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Channel, createChannel, createSession } from 'better-sse';
import { eachEvent } from './lines.ts';

const HEARTBEAT_MS = 15_000;
const channels = new Map<string, Channel>();

function channelOf(run: string): Channel {
  const found = channels.get(run) ?? createChannel();
  channels.set(run, found);
  return found;
}

const server = createServer(async (request, response) => {
  const channel = channelOf(request.url ?? '');
  if (request.method === 'POST') {
    await eachEvent(request, ({ type, data }) => channel.broadcast(data, type));
    response.writeHead(204).end();
    return;
  }
  channel.register(await createSession(request, response, { keepAlive: HEARTBEAT_MS }));
});

server.requestTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
