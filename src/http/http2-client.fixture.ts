/** `fetch` over one HTTP/2 connection. Node's own speaks HTTP/1.1. */
import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { Readable } from 'node:stream';

export interface Http2Client {
  readonly session: ClientHttp2Session;
  readonly fetch: (request: Request) => Promise<Response>;
  close(): Promise<void>;
}

export async function http2Client(origin: string): Promise<Http2Client> {
  const session = connect(origin);
  await once(session, 'connect');
  const close = async () => {
    session.destroy();
    if (!session.closed) await once(session, 'close');
  };
  return { session, fetch: (request) => ask(session, request), close };
}

async function ask(session: ClientHttp2Session, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const body = Buffer.from(await request.arrayBuffer());
  const pseudo = { ':method': request.method, ':path': pathname + search };
  const stream = session.request(
    { ...pseudo, ...Object.fromEntries(request.headers) },
    { endStream: body.length === 0 },
  );
  if (body.length > 0) stream.end(body);
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  const status = Number(head[constants.HTTP2_HEADER_STATUS]);
  const headers = new Headers();
  for (const [name, value] of Object.entries(head)) if (!name.startsWith(':')) headers.set(name, String(value));
  if (status === 204 || request.method === 'HEAD') {
    stream.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(stream) as ReadableStream<Uint8Array>, { status, headers });
}
