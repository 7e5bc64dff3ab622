/** A TCP proxy on loopback that breaks what it carries back, at an exact byte: deterministic where real networks are not. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to the answers of one connection. Nothing set: they pass unharmed. */
export interface Fault {
  /** The connection ends when so many bytes have passed. */
  readonly cutAfter?: number;
  /** By a TCP reset (as it stands if absent), or by FIN, as if the server had finished. */
  readonly cutBy?: 'reset' | 'fin';
  /** Nothing more passes after so many bytes, but the connection stays: a dead peer. */
  readonly stallAfter?: number;
  /** Every piece is held back so long. */
  readonly delayMs?: number;
  /** At most so many bytes pass at once, one such piece per millisecond. */
  readonly trickle?: number;
}

export interface FaultyProxy {
  readonly url: string;
  /** How many connections were made. */
  readonly connections: number;
  /** How many are open. */
  readonly open: number;
  /** Resets every connection; new ones are taken as before. */
  cutAll(): void;
  close(): Promise<void>;
}

/**
 * Opens a proxy in front of a server. `faultOf` is asked once for each connection, counted from 0.
 *
 * @example
 * const proxy = await faultyProxy(server.url, (n) => (n === 0 ? { cutAfter: 200, cutBy: 'reset' } : {}));
 */
export async function faultyProxy(target: string, faultOf: (connection: number) => Fault): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const clients = new Set<Socket>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client.on('close', () => clients.delete(client)));
    carry(client, connect({ host: hostname, port: Number(port), noDelay: true }), faultOf(connections++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cutAll = () => {
    for (const client of clients) client.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    get open() {
      return clients.size;
    },
    cutAll,
    async close() {
      server.close();
      cutAll();
      await once(server, 'close');
    },
  };
}

function carry(client: Socket, upstream: Socket, fault: Fault): void {
  client.on('error', () => {}).on('close', () => upstream.destroy());
  upstream.on('error', () => client.resetAndDestroy());
  client.pipe(upstream);
  let passed = 0;

  async function pass(piece: Buffer): Promise<void> {
    if (fault.delayMs) await sleep(fault.delayMs);
    const step = fault.trickle ?? piece.length;
    for (let from = 0; from < piece.length && !client.destroyed; from += step) {
      if (fault.trickle) await sleep(1);
      const room = Math.min(fault.cutAfter ?? Infinity, fault.stallAfter ?? Infinity) - passed;
      const part = piece.subarray(from, from + Math.min(step, room));
      passed += part.length;
      if (part.length > 0 && !client.write(part)) await Promise.race([once(client, 'drain'), once(client, 'close')]);
      if (passed === fault.cutAfter) return cut();
      if (passed === fault.stallAfter) return stall();
    }
  }

  function cut(): void {
    upstream.destroy();
    if (fault.cutBy === 'fin') client.end();
    // What was written before goes out first: a reset would overtake it.
    else if (client.writableLength === 0) client.resetAndDestroy();
    else client.once('drain', () => client.resetAndDestroy());
  }

  function stall(): void {
    upstream.pause();
  }

  void (async () => {
    if (fault.cutAfter === 0) return cut();
    for await (const piece of upstream) await pass(piece as Buffer);
    client.end();
  })().catch(() => client.resetAndDestroy());
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
