/** The app behind the two interfaces of all hosts: a web `fetch`, and Node's request and response. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import type { ErrorReport } from './context.ts';
import type { NodeHost } from './node-sink.ts';
import { parsedBody } from './parsed-body.ts';
import { refusalOf } from './problem.ts';

/** Gives the app, opening what it stands on when it is first asked for. */
type AppSource = () => Hono | Promise<Hono>;

/** What the servers of node:http, node:https and node:http2 hand over. */
export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Answers a web request. Never rejects: an app that cannot be opened is a problem response too. */
export async function serveFetch(source: AppSource, onError: ErrorReport, request: Request): Promise<Response> {
  try {
    return await (await source()).fetch(request);
  } catch (error) {
    return refuse(error, request.method, new URL(request.url).pathname, onError);
  }
}

/** Answers a request of a Node server, whoever may have parsed its body before. Never rejects. */
export async function serveNode(
  source: AppSource,
  onError: ErrorReport,
  incoming: NodeRequest & { rawBody?: Buffer },
  outgoing: NodeResponse,
): Promise<void> {
  const answer = async (request: Request, host: NodeHost): Promise<Response> => {
    const body = parsedBody(incoming);
    // Where the listener looks for a body that was read before.
    if (body) incoming.rawBody = body;
    return (await source()).fetch(request, host);
  };
  const listener = getRequestListener(answer as Parameters<typeof getRequestListener>[0], {
    // The host program's own Request and Response are not ours to replace.
    overrideGlobalObjects: false,
    errorHandler: (error) => refuse(error, incoming.method ?? '', incoming.url ?? '', onError),
  });
  await listener(incoming, outgoing);
}

function refuse(error: unknown, method: string, path: string, onError: ErrorReport): Response {
  const { status, headers, body } = refusalOf(error, { method, path }, onError);
  return new Response(body, { status, headers });
}
