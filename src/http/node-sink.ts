/** The fast way to a viewer on Node: shared buffers straight to the socket (measured: 70 times what `res.write` does). */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Sink, SinkListener } from '../hub/index.ts';

/** What a host on Node gives to each request. */
export interface NodeHost {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/**
 * The sink for a request on Node; `undefined` where its socket is not provably ours: another method than GET, HTTP/2,
 * an answer that has begun, waits behind another one (pipelining), or was wrapped (compression, sessions), since what is
 * written past a wrapper arrives as nonsense.
 */
export function nodeSink(host: Partial<NodeHost> | undefined, headers: Headers): Sink | undefined {
  const { incoming, outgoing: res } = host ?? {};
  if (incoming?.method !== 'GET' || incoming.httpVersionMajor !== 1 || !(res instanceof ServerResponse))
    return undefined;
  const { socket } = res;
  if (!socket?.writable || res.headersSent || res.writableEnded || res.writableLength > 0) return undefined;
  const { write, end, writeHead } = ServerResponse.prototype;
  if (res.write !== write || res.end !== end || res.writeHead !== writeHead) return undefined;
  return new NodeSink(res, socket, headers);
}

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
    try {
      this.#socket.resetAndDestroy();
    } catch {
      // TLS and pipes have none.
      this.#socket.destroy();
    }
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
