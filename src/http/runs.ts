import { Hono } from 'hono';
import { summaryOf } from '../log/index.ts';
import { formatCursor } from '../protocol/index.ts';
import {
  ListCaughtUpData,
  ListHelloData,
  RunList,
  RunSummary,
  StartedRun,
  StreamLeftData,
  StreamRevokedData,
} from './answers.ts';
import { readBody } from './body.ts';
import type { RouteContext } from './context.ts';
import { IdempotencyHeaders, readIdempotencyKey } from './idempotency-key.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { LiveListQuery, streamRuns, wantsStream } from './run-list.ts';
import { ListRunsQuery, NoQuery, StartRunRequest } from './schemas.ts';
import { RunAnswer } from './snapshot-answer.ts';

/** So long a page waits for what only the events of its runs tell: 50 runs of 10,000 events take a fraction of it. */
const DETAILS_MS = 5_000;

/** Starting, finding, reading and deleting runs. */
export function runRoutes(context: RouteContext): Hono {
  const { log, hub, runs, limits, access } = context;
  const app = new Hono();
  // A body nests one level more than what it carries: `input` stands in `data` of the event as it stands in the body.
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };

  app.post('/v1/runs', async (c) => {
    readQuery(c, NoQuery);
    const key = readIdempotencyKey(c);
    const request = await readBody(c, { ...rules, schema: StartRunRequest });
    const keyed = { ...request, ...access.ownerOf(c), ...(key !== undefined && { idempotencyKey: key }) };
    const started = await runs.start(keyed, access.admit(c)).catch((error) => {
      throw access.explain(c, error);
    });
    const { runId, threadId, status, position, ack, duplicate } = started;
    const self = `/v1/runs/${runId}`;
    const cursor = formatCursor(ack.epoch, ack.last);
    const queued = position === undefined ? {} : { position };
    const answer = { runId, threadId, status, ...queued, cursor, links: links(self), ...(duplicate && { duplicate }) };
    return c.json(answer, duplicate ? 200 : 201, { location: self });
  });

  app.get('/v1/runs', async (c) => {
    if (wantsStream(c)) return streamRuns(c, context);
    const { details, ...query } = readQuery(c, ListRunsQuery);
    const { runs: found, next } = await log.runs.list({ ...query, ...access.listedOf(c) });
    const listed = details ? await hub.describeRuns(found, DETAILS_MS) : found.map((run) => summaryOf(run));
    return c.json({ runs: listed, ...(next !== undefined && { next }) });
  });

  app.get('/v1/runs/:runId', async (c) => {
    readQuery(c, NoQuery);
    const snapshot = await runs.snapshot(c.req.param('runId'));
    return c.json({ ...snapshot, cursor: formatCursor(snapshot.epoch, snapshot.seq) });
  });

  app.delete('/v1/runs/:runId', async (c) => {
    readQuery(c, NoQuery);
    await runs.delete(c.req.param('runId'));
    hub.forgetRun(c.req.param('runId'));
    return c.body(null, 204);
  });

  return app;
}

const links = (self: string) => ({
  self,
  stream: `${self}/stream`,
  events: `${self}/events`,
  cancel: `${self}/cancel`,
});

const STARTED = {
  runId: 'first',
  threadId: 'talk',
  status: 'running',
  cursor: 'k3f9x0q2vd.1',
  links: links('/v1/runs/first'),
};

export const runOperations: Operations = {
  'POST /v1/runs': {
    id: 'startRun',
    group: 'Runs',
    needs: 'start',
    summary: 'Start an agent',
    description:
      'Starts an agent that is registered here, at once or, where as many runs are under way as may, in its turn (`queued`). With `mode: "remote"` nobody runs it here: append its events yourself.',
    headers: IdempotencyHeaders,
    body: { json: StartRunRequest },
    answers: {
      201: {
        description: 'Its start is in the log, or that it waits for its turn.',
        headers: { Location: 'Address of the run.' },
        json: StartedRun,
        example: STARTED,
      },
      200: {
        description: 'Its `Idempotency-Key` started it before.',
        headers: { Location: 'Address of the run.' },
        json: StartedRun,
        example: { ...STARTED, status: 'completed', duplicate: true },
      },
    },
    refuses: [
      ...['invalid_json', 'too_deep', 'agent_not_found', 'run_exists', 'run_deleted', 'batch_too_large'],
      ...['event_too_large', 'unsupported_media_type', 'idempotency_conflict', 'overloaded', 'storage_full'],
    ] as const,
    examples: [
      { body: { agent: 'greeter', input: 'Ada', threadId: 'talk' } },
      { body: { agent: 'greeter', input: 'Ada', budget: { maxCost: 1.5, maxToolCalls: 20, onExceeded: 'pause' } } },
      { headers: { 'Idempotency-Key': '"8e03978e-40d5"' }, body: { agent: 'greeter', input: 'Ada' } },
    ],
  },
  'GET /v1/runs': {
    id: 'listRuns',
    group: 'Runs',
    needs: 'read',
    summary: 'List runs, newest first',
    description:
      'Every filter that is given has to match. `next` of a page goes into `before` for the one after it. With `Accept: text/event-stream` the list is live: all of it, then what the events of its runs tell, then each run as it appears or changes.',
    query: ListRunsQuery.extend({ padding: LiveListQuery.shape.padding }),
    answers: {
      200: {
        description: 'A page of runs, or the list as it changes.',
        json: RunList,
        frames: {
          'stream.hello': ListHelloData,
          'stream.run': RunSummary,
          'stream.caught-up': ListCaughtUpData,
          'stream.left': StreamLeftData,
          'stream.revoked': StreamRevokedData,
        },
        example: {
          runs: [
            {
              runId: 'first',
              threadId: 'talk',
              agent: 'greeter',
              status: 'completed',
              createdAt: '2026-11-20T18:00:00.000Z',
              first: 1,
              last: 12,
              endedAt: '2026-11-20T18:00:02.000Z',
              events: 12,
              lastAt: '2026-11-20T18:00:02.000Z',
              title: 'Ada',
              agents: 0,
              errors: 0,
            },
          ],
        },
      },
    },
    refuses: ['invalid_cursor'],
    examples: [
      { query: { status: 'completed,failed', limit: '10', details: 'true' } },
      { headers: { Accept: 'text/event-stream' }, query: { status: 'running' } },
    ],
  },
  'GET /v1/runs/{runId}': {
    id: 'getRun',
    group: 'Runs',
    needs: 'read',
    summary: 'The snapshot of a run',
    description: 'The fold of all its events, and the `cursor` from which a stream or a page goes on.',
    answers: { 200: { description: 'The snapshot.', json: RunAnswer } },
    refuses: ['run_not_found', 'run_deleted'],
    examples: [{ path: { runId: 'first' } }],
  },
  'DELETE /v1/runs/{runId}': {
    id: 'deleteRun',
    group: 'Runs',
    needs: 'control',
    summary: 'Delete a run that has ended',
    description:
      'Its events leave the store, its numbers stay as a void that every view skips, and its id answers 410 from then on.',
    answers: { 204: { description: 'It is gone, now or before.' } },
    refuses: ['run_not_found', 'run_open', 'storage_full'],
    examples: [{ path: { runId: 'old' } }],
  },
};
