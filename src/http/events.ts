import { type Context, Hono } from 'hono';
import type { WaitRequest } from '../hub/index.ts';
import { ImplicitRuns } from '../runs/index.ts';
import { Acknowledgement, AcknowledgementOrProblem, EventPage } from './answers.ts';
import { isOfType, readBody } from './body.ts';
import type { RouteContext } from './context.ts';
import { answerTo, ingest, type StoreLines } from './ingest.ts';
import { findRun } from './lookup.ts';
import type { Operations } from './openapi/operation.ts';
import { readPage } from './page.ts';
import { ProducerHeaders, readProducer } from './producer.ts';
import { readQuery } from './query.ts';
import { AppendRequest, AppendToThreadRequest, EventDraft, EventsQuery, NoQuery } from './schemas.ts';

/** `{"events":[{"data":…}]}`: how deep in the body `data` stands. */
const DATA_DEPTH = 3;

/** Reading events page by page, and appending them. */
export function eventRoutes(context: RouteContext): Hono {
  const { log, runs, limits, access } = context;
  const app = new Hono();
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth + DATA_DEPTH };

  app.get('/v1/runs/:runId/events', async (c) => {
    const query = readQuery(c, EventsQuery);
    const run = await findRun(log, c.req.param('runId'));
    const { runId, threadId } = run;
    return json(c, await readPage(log, threadId, query, run, waiting(c, context, query.wait, { runId, threadId })));
  });

  app.get('/v1/threads/:threadId/events', async (c) => {
    const query = readQuery(c, EventsQuery);
    const threadId = c.req.param('threadId');
    return json(c, await readPage(log, threadId, query, undefined, waiting(c, context, query.wait, { threadId })));
  });

  app.post('/v1/runs/:runId/events', async (c) => {
    readQuery(c, NoQuery);
    const producer = readProducer(c);
    if (isOfType(c, 'x-ndjson')) {
      const { runId } = await findRun(log, c.req.param('runId'));
      const permit = access.permit(c, 'write', { runIds: [runId] });
      const store: StoreLines = (lines, from) =>
        runs.remote.appendLines(runId, lines, producer && after(producer, from));
      return ingest(c, context, store, { permit });
    }
    const { events } = await readBody(c, { ...rules, schema: AppendRequest });
    const ack = await runs.remote.append(c.req.param('runId'), events, producer);
    return c.json(answerTo(ack));
  });

  const implicit = new ImplicitRuns(log, runs, limits);
  app.post('/v1/threads/:threadId/events', async (c) => {
    readQuery(c, NoQuery);
    const producer = readProducer(c);
    const request = await readBody(c, { ...rules, schema: AppendToThreadRequest });
    const own = { ...access.ownerOf(c), admit: access.admit(c) };
    return c.json(answerTo(await implicit.append(c.req.param('threadId'), { ...request, ...own, producer })));
  });

  return app;
}

/** How a page waits, for so many seconds in all. HEAD has no body to wait for. */
function waiting(
  c: Context,
  { hub, access }: RouteContext,
  seconds: number | undefined,
  where: Pick<WaitRequest, 'threadId' | 'runId'>,
) {
  if (seconds === undefined || c.req.method === 'HEAD') return undefined;
  const { signal } = c.req.raw;
  const until = performance.now() + seconds * 1000;
  const { runId, threadId } = where;
  const permit = access.permit(c, 'read', runId === undefined ? { threadIds: [threadId] } : { runIds: [runId] });
  return async (place: Pick<WaitRequest, 'epoch' | 'after'>) => {
    const news = await hub.wait({ ...where, ...place, signal, permit, milliseconds: until - performance.now() });
    // What came is for whoever may still see it.
    await permit?.check();
    return news;
  };
}

/** The key of a line that so many others came before. */
const after = <Key extends { readonly seq: number }>(key: Key, lines: number): Key => ({
  ...key,
  seq: key.seq + lines,
});

const json = (c: Context, text: string): Response => c.body(text, 200, { 'content-type': 'application/json' });

const MESSAGE = { type: 'message.completed', data: { messageId: 'm1', text: 'Done.' } };
const PAGE = {
  events: [
    {
      seq: 1,
      epoch: 'k3f9x0q2vd',
      threadId: 'talk',
      runId: 'first',
      type: 'run.started',
      time: '2026-11-20T18:00:00.000Z',
      data: { agent: 'greeter', input: 'Ada' },
    },
  ],
  cursor: 'k3f9x0q2vd.1',
  more: true,
};
const STORED = { epoch: 'k3f9x0q2vd', first: 2, last: 2, cursor: 'k3f9x0q2vd.2' };
const APPEND_REFUSES = [
  ...['invalid_json', 'invalid_event', 'reserved_type', 'too_deep', 'producer_fenced', 'run_closed', 'producer_gap'],
  ...['producer_conflict', 'event_too_large', 'batch_too_large', 'run_full', 'unsupported_media_type', 'overloaded'],
  ...['storage_full'],
] as const;

export const eventOperations: Operations = {
  'GET /v1/runs/{runId}/events': {
    id: 'getRunEvents',
    group: 'Events',
    needs: 'read',
    summary: 'The events of a run, page by page',
    description: 'The same events that its stream delivers. Give the `cursor` of a page as `after` for the next one.',
    query: EventsQuery,
    answers: { 200: { description: 'A page.', json: EventPage, example: { ...PAGE, ended: false } } },
    refuses: ['run_not_found', 'run_deleted', 'invalid_cursor'],
    examples: [
      { path: { runId: 'first' }, query: { limit: '10' } },
      { path: { runId: 'job' }, query: { wait: '25' } },
    ],
  },
  'POST /v1/runs/{runId}/events': {
    id: 'appendToRun',
    group: 'Events',
    needs: 'write',
    summary: 'Append events to a run',
    description:
      'A batch is all or nothing, and 2xx means that it is durable. With the producer headers it is safe to send the same again. As NDJSON, one event per line, the request may go on for ever: each line of the answer acknowledges the next lines, and the last one says what was refused.',
    headers: ProducerHeaders,
    body: { json: AppendRequest, lines: EventDraft },
    answers: {
      200: { description: 'Stored.', json: Acknowledgement, lines: AcknowledgementOrProblem, example: STORED },
    },
    refuses: ['run_not_found', 'run_deleted', ...APPEND_REFUSES],
    examples: [
      {
        path: { runId: 'job' },
        headers: { 'Producer-Id': 'worker-1', 'Producer-Epoch': '0', 'Producer-Seq': '0' },
        body: { events: [MESSAGE] },
      },
      { path: { runId: 'job' }, lines: [MESSAGE, MESSAGE] },
    ],
  },
  'GET /v1/threads/{threadId}/events': {
    id: 'getThreadEvents',
    group: 'Events',
    needs: 'read',
    summary: 'The events of a thread, page by page',
    description: 'The events of all its runs, in the order of their numbers.',
    query: EventsQuery,
    answers: { 200: { description: 'A page.', json: EventPage, example: PAGE } },
    refuses: ['thread_not_found', 'invalid_cursor'],
    examples: [{ path: { threadId: 'talk' }, query: { limit: '10' } }],
  },
  'POST /v1/threads/{threadId}/events': {
    id: 'appendToThread',
    group: 'Events',
    needs: 'write',
    summary: 'Append events where only a session is known',
    description:
      'They go to the open implicit run of the thread, and open one where there is none: a remote run with the given `agent` and `lease`.',
    headers: ProducerHeaders,
    body: { json: AppendToThreadRequest },
    answers: { 200: { description: 'Stored.', json: Acknowledgement, example: { runId: 'r1', ...STORED } } },
    refuses: ['thread_not_found', ...APPEND_REFUSES],
    examples: [{ path: { threadId: 'session-7' }, body: { agent: 'assistant', events: [MESSAGE] } }],
  },
};
