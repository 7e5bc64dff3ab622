/** Requests exactly as written: no client library in between that would mend, refuse or hide what a test sends. */
import { connect } from 'node:net';

export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  /** Header lines as they are; `Host`, `Connection: close` and `Content-Length` are added unless a line names them. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends one request on a connection of its own. */
export async function send(url: string, request: RawRequest): Promise<RawResponse> {
  const { method = 'GET', target = '/', headers = [], body } = request;
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const lines = [...headers];
  const names = new Set(headers.map((line) => line.split(':')[0]!.toLowerCase()));
  if (!names.has('host')) lines.push(`Host: ${new URL(url).host}`);
  if (!names.has('connection')) lines.push('Connection: close');
  if (bytes && !names.has('content-length') && !names.has('transfer-encoding')) {
    lines.push(`Content-Length: ${bytes.length}`);
  }
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const [response] = parse(await exchange(url, bytes ? Buffer.concat([head, bytes]) : head));
  if (!response) throw new Error('The server closed the connection without an answer');
  return response;
}

/** Sends bytes and resolves with everything the server says until it closes the connection. */
export function exchange(url: string, bytes: string | Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => (chunks.length === 0 ? reject(error) : undefined));
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

/** The responses in what a server said. One without Content-Length has no body (100, 204), or all that follows. */
export function parse(said: Buffer): RawResponse[] {
  const responses: RawResponse[] = [];
  for (let rest = said; rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) throw new Error(`Not a whole response: ${rest.toString().slice(0, 200)}`);
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(':')[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const status = Number(first.split(' ')[1]);
    const unbounded = status === 100 || status === 204 ? 0 : rest.length;
    const bodyEnd = end + 4 + Number(headers['content-length'] ?? unbounded);
    responses.push({ status, headers, body: rest.subarray(end + 4, bodyEnd).toString() });
    rest = rest.subarray(bodyEnd);
  }
  return responses;
}
