/** The fast way to a viewer on Node: shared buffers straight to the socket (measured: 70 times what `res.write` does). */
import { type IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Sink, SinkListener } from '../hub/index.ts';

/** What a host on Node gives to each request. */
export interface NodeHost {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** The environment of a request as that of a Node server; `undefined` on every other host, and for HTTP/2. */
export function nodeHost(env: Partial<NodeHost> | undefined): NodeHost | undefined {
  const { incoming, outgoing } = env ?? {};
  return incoming && outgoing instanceof ServerResponse ? { incoming, outgoing } : undefined;
}

/**
 * Resolves when the answers before this one on its connection are out (pipelining); false where the connection ended
 * first. What is written before its turn would pile up, with nobody to tell that the client went away.
 */
export function hasTurn({ incoming, outgoing }: NodeHost): Promise<boolean> {
  if (outgoing.socket || !(incoming.socket instanceof Socket)) return Promise.resolve(true);
  const { socket } = incoming;
  if (socket.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    socket.once('close', gone);
    outgoing.once('socket', () => {
      socket.off('close', gone);
      resolve(true);
    });
  });
}

/**
 * The sink for a request on Node; `undefined` where its socket is not provably ours: another method than GET, an answer
 * that has begun, or was wrapped (compression, sessions), since what is written past a wrapper arrives as nonsense; and
 * where it could not be reset.
 */
export function nodeSink({ incoming, outgoing: res }: NodeHost, headers: Headers): Sink | undefined {
  if (incoming.method !== 'GET' || incoming.httpVersionMajor !== 1) return undefined;
  const { socket } = res;
  if (!(socket instanceof Socket) || !socket.writable || !canReset(socket)) return undefined;
  if (res.headersSent || res.writableEnded || res.writableLength > 0) return undefined;
  const { write, end, writeHead } = ServerResponse.prototype;
  if (res.write !== write || res.end !== end || res.writeHead !== writeHead) return undefined;
  return new NodeSink(res, socket, headers);
}

/**
 * TLS and Unix sockets have no reset. A body that ends with its connection would look whole where it was cut (curl over
 * TLS: exit code 0 after half a stream); the chunks of the portable sink tell.
 */
const canReset = (socket: Socket): boolean => !(socket instanceof TLSSocket) && socket.remoteAddress !== undefined;

class NodeSink implements Sink {
  closed = false;
  readonly #res: ServerResponse;
  readonly #socket: Socket;
  #headers: Headers | undefined;
  #listener: SinkListener | undefined;
  #full = false;

  constructor(res: ServerResponse, socket: Socket, headers: Headers) {
    this.#res = res;
    this.#socket = socket;
    this.#headers = headers;
    // Of the response: a request is "closed" as soon as its body was read, which left thousands of streams open elsewhere.
    res.on('close', () => this.#onClose());
  }

  open(listener: SinkListener, stalledMs: number): void {
    this.#listener = listener;
    this.#socket.setNoDelay(true);
    this.#socket.on('drain', () => this.#onDrain());
    // Node counts progress: while the kernel takes any part of what is pending, the time begins anew. Without a listener
    // of the response it would destroy the socket of a stream that is merely quiet.
    this.#res.setTimeout(stalledMs, () => {
      if (this.#socket.writableLength > 0) this.abort();
    });
  }

  write(bytes: Uint8Array): boolean {
    if (this.closed) return true;
    this.#full = this.#headers ? !this.#writeHead(this.#headers, bytes) : !this.#socket.write(bytes);
    return !this.#full;
  }

  end(): void {
    // Nothing is left for the response to write; it closes the socket once that has sent everything.
    this.#res.end();
  }

  abort(): void {
    // A reset, so that the client does not take half a stream for a whole one.
    this.#socket.resetAndDestroy();
  }

  /** Head and first frames in one packet. The body ends with the connection: no length, no chunks, HTTP/1.0 as well. */
  #writeHead(headers: Headers, bytes: Uint8Array): boolean {
    this.#headers = undefined;
    this.#socket.cork();
    this.#res.removeHeader('transfer-encoding');
    this.#res.writeHead(200, [...headers, ['connection', 'close']].flat());
    this.#res.flushHeaders();
    const more = this.#socket.write(bytes);
    this.#socket.uncork();
    return more;
  }

  #onDrain(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#listener?.drained();
  }

  #onClose(): void {
    this.closed = true;
    this.#listener?.closed();
  }
}
