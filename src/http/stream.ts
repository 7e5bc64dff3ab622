import { constants, Http2ServerResponse } from 'node:http2';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono } from 'hono';
import type { ManyRequest, Sink } from '../hub/index.ts';
import { refusalOf, type StreamRefused, TelltaleError, writeComment, writeRetry } from '../protocol/index.ts';
import type { Watched } from './access/index.ts';
import {
  Event,
  StreamByeData,
  StreamEndedData,
  StreamHelloData,
  StreamProgressData,
  StreamRefusedData,
  StreamResetData,
  StreamRevokedData,
} from './answers.ts';
import type { AppContext, RouteContext } from './context.ts';
import { findRun, findThread } from './lookup.ts';
import { hasTurn, type NodeHost, nodeHost, nodeSink } from './node-sink.ts';
import { type Operations, ResumeHeaders } from './openapi/operation.ts';
import { tell } from './problem.ts';
import { RunSnapshot } from './snapshot-answer.ts';
import { readStreamRequest, readStreamsRequest, StreamQuery, StreamsQuery } from './stream-request.ts';
import { WebSink } from './web-sink.ts';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-store, no-transform, must-revalidate',
  // nginx holds a stream back until its buffer is full, unless it is told (measured: 0 bytes in 2 s).
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

/** Milliseconds after which a client asks again where the log could not be read. */
const ASK_AGAIN_MS = 2000;

/** The streams of runs and threads (PROTOCOL.md sections 5 to 7). */
export function streamRoutes({ log, hub, access, onError }: RouteContext): Hono {
  const app = new Hono();

  app.onError((error, c) => tellFault(c, error, onError));

  app.get('/v1/runs/:runId/stream', async (c) => {
    const request = readStreamRequest(c);
    const { runId, threadId } = await findRun(log, c.req.param('runId'));
    const permit = access.permit(c, 'read', { runIds: [runId] });
    const ofRun = { ...request, permit, threadId, selection: { ...request.selection, runId } };
    return stream(c, (sink) => hub.open(ofRun, sink));
  });

  app.get('/v1/threads/:threadId/stream', async (c) => {
    const request = readStreamRequest(c);
    if (request.from === 'snapshot') {
      throw new TelltaleError('invalid_request', 'query.from: a snapshot is of a run; ask for it at /v1/runs/….');
    }
    const threadId = c.req.param('threadId');
    await findThread(log, threadId);
    const permit = access.permit(c, 'read', { threadIds: [threadId] });
    return stream(c, (sink) => hub.open({ ...request, permit, threadId }, sink));
  });

  app.get('/v1/stream', async (c) => {
    const { listed, cursor, padding, ...view } = readStreamsRequest(c);
    const refused: StreamRefused[] = [];
    const streams: ManyRequest['streams'][number][] = [];
    for (const { name, kind, id } of listed) {
      try {
        if (kind === 'thread') await access.thread(c, 'read', id);
        const ofRun = kind === 'run' && {
          threadId: (await access.run(c, 'read', id)).threadId,
          selection: { ...view.selection, runId: id },
        };
        streams.push({ ...view, name, threadId: id, ...ofRun });
      } catch (error) {
        const refusal = refusalOf(name, error);
        // With nothing left to show, a refusal of the whole tells an EventSource to stop.
        if (!refusal || refused.length === listed.length - 1) throw error;
        refused.push(refusal);
      }
    }
    const permit = access.permit(c, 'read', idsOf(streams));
    const request = { streams, refused, permit, ...(cursor && { cursor }), ...(padding && { padding }) };
    return stream(c, (sink) => hub.openAll(request, sink));
  });

  return app;
}

/** The runs and threads of several streams. */
function idsOf(streams: ManyRequest['streams']): Watched {
  const runIds = streams.flatMap(({ selection: { runId } }) => runId ?? []);
  const threadIds = streams.flatMap(({ threadId, selection: { runId } }) => (runId === undefined ? threadId : []));
  return { runIds, threadIds };
}

/**
 * A fault that passes is told inside a 200: any other status ends a native EventSource for good.
 *
 * @throws every other error, as it is.
 */
export function tellFault(c: Context, error: unknown, onError: AppContext['onError']): Response {
  if (!(error instanceof TelltaleError) || !error.retryable) throw error;
  const errorId = tell(error, c.req, onError);
  return c.body(`${writeComment(`${error.code}, error ${errorId}`)}${writeRetry(ASK_AGAIN_MS)}`, 200, HEADERS);
}

/**
 * Answers with a stream that `open` writes into the sink, or with 204 where that is `over`.
 *
 * @param isChunked for clients whose proxies want `Transfer-Encoding: chunked`, which the fast sink does without.
 */
export async function stream(
  c: Context,
  open: (sink: Sink) => Promise<'streaming' | 'over'>,
  { isChunked = false }: { readonly isChunked?: boolean } = {},
): Promise<Response> {
  // What others have set so far, CORS headers for example, stays.
  const response = c.body(null, 200, HEADERS);
  if (c.req.method === 'HEAD') return response;
  const host = nodeHost(c.env);
  // The connection ended before it was this answer's turn: there is nobody to answer.
  if (host && !(await hasTurn(host))) return response;
  const sink = (host && !isChunked && nodeSink(host, response.headers)) || webSink(c, host);
  const outcome = await open(sink);
  if (outcome === 'over') return c.body(null, 204);
  if (!(sink instanceof WebSink)) return RESPONSE_ALREADY_SENT;
  // As behind the fast sink: a connection that is kept alive would hold up a server that closes.
  if (isChunked && host?.incoming.httpVersionMajor === 1) c.header('connection', 'close');
  return c.body(sink.body, 200, HEADERS);
}

/** For every host but a Node server, and where on that one the socket is not provably ours. */
function webSink(c: Context, host: NodeHost | undefined): WebSink {
  // A Node server tells the body when its client goes away; asking for a signal there would cost one for each request.
  if (host) return new WebSink({ cut: () => host.outgoing.destroy() });
  const { signal } = c.req.raw;
  const outgoing: unknown = c.env?.outgoing;
  if (!(outgoing instanceof Http2ServerResponse)) return new WebSink({ signal });
  // Of this stream alone: others on the connection go on.
  return new WebSink({ signal, cut: () => outgoing.stream.close(constants.NGHTTP2_INTERNAL_ERROR) });
}

const FRAMES = {
  'stream.hello': StreamHelloData,
  'stream.reset': StreamResetData,
  'stream.snapshot': RunSnapshot,
  'stream.progress': StreamProgressData,
  'stream.caught-up': StreamProgressData,
  'stream.bye': StreamByeData,
  'stream.revoked': StreamRevokedData,
  '*': Event,
};

const EXAMPLE = `: connected

retry: 2643

event: stream.hello
data: {"threadId":"talk","runId":"first","epoch":"k3f9x0q2vd","earliest":1,"latest":12,"heartbeatMs":15000}

id: k3f9x0q2vd.1
event: run.started
data: {"seq":1,"epoch":"k3f9x0q2vd","threadId":"talk","runId":"first","type":"run.started",…}

`;

export const streamOperations: Operations = {
  'GET /v1/runs/{runId}/stream': {
    id: 'streamRun',
    group: 'Streams',
    needs: 'read',
    summary: 'Watch a run',
    description:
      'History, then live, then the end: every event once and in order, over any number of connections, each of which goes on after the last id of the one before. Closes after the terminal event.',
    query: StreamQuery,
    headers: ResumeHeaders,
    answers: {
      200: { description: 'The stream.', frames: FRAMES, example: EXAMPLE },
      204: { description: 'The cursor is at the end of the run: there is no more, and EventSource stops.' },
    },
    refuses: ['run_not_found', 'run_deleted', 'not_acceptable'],
    examples: [{ path: { runId: 'first' } }],
  },
  'GET /v1/threads/{threadId}/stream': {
    id: 'streamThread',
    group: 'Streams',
    needs: 'read',
    summary: 'Watch a thread',
    description: 'Every run of the thread, present and future. Never ends by itself.',
    query: StreamQuery,
    headers: ResumeHeaders,
    answers: { 200: { description: 'The stream.', frames: FRAMES, example: EXAMPLE } },
    refuses: ['thread_not_found', 'not_acceptable'],
    examples: [{ path: { threadId: 'talk' }, query: { types: 'run.*,message.*' } }],
  },
  'GET /v1/stream': {
    id: 'streamMany',
    group: 'Streams',
    needs: 'read',
    summary: 'Watch several runs and threads on one connection',
    description: 'Give `run` and `thread` as often as needed. One id resumes all of them.',
    query: StreamsQuery,
    headers: ResumeHeaders,
    answers: {
      200: {
        description: 'The streams, side by side.',
        frames: { ...FRAMES, 'stream.ended': StreamEndedData, 'stream.refused': StreamRefusedData },
      },
      204: { description: 'The cursor is at the end of all of them.' },
    },
    refuses: ['not_acceptable', 'run_not_found', 'run_deleted', 'thread_not_found'],
    examples: [{ query: { run: 'first', thread: 'talk' } }],
  },
};
