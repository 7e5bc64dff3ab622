import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands between a producer and a server, and can lose answers. */
export interface Relay {
  readonly url: string;
  /** Told of every answer to an append; true where it is lost, with its connection. */
  lose: (answer: string) => boolean;
  close(): void;
}

export async function startRelay(target: () => string): Promise<Relay> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { 'content-type': type = '', ...headers } = incoming.headers;
    const producer = Object.entries(headers).filter(([name]) => name.startsWith('producer-')) as [string, string][];
    const response = await fetch(target() + incoming.url, {
      method: 'POST',
      headers: { 'content-type': type, ...Object.fromEntries(producer) },
      body: Buffer.concat(chunks),
    });
    const answer = await response.text();
    if (relay.lose(answer)) incoming.socket.destroy();
    else outgoing.writeHead(response.status).end(answer);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lose: () => false,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return relay;
}
