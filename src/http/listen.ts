import { createServer, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Hono } from 'hono';
import { TelltaleError } from '../protocol/index.ts';
import type { ErrorReport } from './context.ts';
import { isEndless } from './endless.ts';
import { isLoopback } from './origin.ts';
import { refusal } from './problem.ts';
import { serveNode } from './serve.ts';

/** How long a client may take to send its headers, and a whole request. Neither counts while an answer streams. */
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Longer than the 60 s for which common proxies keep a connection, so that it is never closed under a request. */
const KEEP_ALIVE_MS = 65_000;
/** What is being answered when the server closes may take so long. */
const GRACE_MS = 2_000;

export interface ListenOptions {
  /** 0 takes any that is free. */
  readonly port: number;
  /** A loopback name or address; any other where the app is guarded. */
  readonly host: string;
  /** It has authentication. */
  readonly isGuarded?: boolean;
  readonly onError: ErrorReport;
  /** Milliseconds that a whole request may take to arrive; 60,000 by default. Those marked endless take any time. */
  readonly requestTimeoutMs?: number;
}

/** A server that listens. */
export interface Listening {
  /** Where it answers, for example `http://127.0.0.1:4747`. */
  readonly url: string;
  /** Takes no more connections, lets what is being answered finish for 2 s, and resolves when all are closed. */
  close(): Promise<void>;
}

/**
 * Serves the app with Node.
 *
 * @throws {TelltaleError} `unsafe_bind` for an address that others can reach, `cannot_listen` where the system refuses.
 */
export async function listen(app: Hono, options: ListenOptions): Promise<Listening> {
  const { port, host, onError, requestTimeoutMs = REQUEST_TIMEOUT_MS } = options;
  if (!options.isGuarded && !isLoopback(host)) {
    throw new TelltaleError(
      'unsafe_bind',
      `The server will not listen on ${JSON.stringify(host)}: it has no authentication, so everybody who reaches it could read and start runs. Set "auth" (docs/auth.md), or listen on 127.0.0.1.`,
    );
  }
  const answers = new WeakMap<Socket, ServerResponse>();
  const sockets = new Set<Socket>();
  const server = createServer(
    {
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(5_000, requestTimeoutMs),
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Node would answer without a body.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      answers.set(incoming.socket, outgoing);
      void serveNode(() => app, onError, incoming, outgoing);
    },
  );
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Node asks once per request; whoever reads an endless one has a limit of its own.
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && isEndless(socket)) return;
    // Where the request before it came in whole: behind the answer to that, never in its place.
    const before = answers.get(socket);
    if (before?.req.complete && !before.writableFinished) before.once('finish', () => refuseRaw(error, socket));
    else refuseRaw(error, socket);
  });
  await bound(server, port, host);
  const { address, port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${actual}`,
    close: () => close(server, sockets),
  };
}

/** What Node's parser cannot read never becomes a request; the answer is written by hand. */
function refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, headers, body } = refusal(unreadable(error.code));
  const fields = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head}\r\n${body}`);
}

function unreadable(code: string | undefined): TelltaleError {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return new TelltaleError('headers_too_large', 'The headers have more than 16 KiB. Send fewer or shorter ones.');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new TelltaleError('request_timeout', 'The request did not arrive in time. Send it again.');
  }
  return new TelltaleError('invalid_request', 'This is not a valid HTTP/1.1 request. Use an HTTP client library.');
}

function bound(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(cause, port, host)));
    server.listen(port, host, resolve);
  });
}

function cannotListen(cause: NodeJS.ErrnoException, port: number, host: string): TelltaleError {
  const reasons: Record<string, string> = {
    EADDRINUSE: `Port ${port} is taken: another program (or another Telltale) listens there. Stop it, or choose another port.`,
    EACCES: `This user may not listen on port ${port}. Choose one above 1023.`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Use 127.0.0.1.`,
  };
  const detail = reasons[cause.code ?? ''] ?? `The server cannot listen on ${host}, port ${port}: ${cause.message}`;
  return new TelltaleError('cannot_listen', detail, { host, port }, { cause });
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Node takes those for busy on which nothing has come yet; browsers and fetch keep such in reserve.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(timer);
}
