import { type Context, Hono } from 'hono';
import { formatCursor } from '../protocol/index.ts';
import { readBody } from './body.ts';
import type { AppContext } from './context.ts';
import { findRun } from './lookup.ts';
import { readPage } from './page.ts';
import { readProducer } from './producer.ts';
import { readQuery } from './query.ts';
import { AppendRequest, EventsQuery, NoQuery } from './schemas.ts';

/** `{"events":[{"data":…}]}`: how deep in the body `data` stands. */
const DATA_DEPTH = 3;

/** Reading events page by page, and appending them. */
export function eventRoutes({ log, runs, limits }: AppContext): Hono {
  const app = new Hono();

  app.get('/v1/runs/:runId/events', async (c) => {
    const query = readQuery(c, EventsQuery);
    const run = await findRun(log, c.req.param('runId'));
    return json(c, await readPage(log, run.threadId, query, run));
  });

  app.get('/v1/threads/:threadId/events', async (c) => {
    const query = readQuery(c, EventsQuery);
    return json(c, await readPage(log, c.req.param('threadId'), query));
  });

  app.post('/v1/runs/:runId/events', async (c) => {
    readQuery(c, NoQuery);
    const producer = readProducer(c);
    const { events } = await readBody(c, {
      schema: AppendRequest,
      maxBytes: limits.batchBytes,
      maxDepth: limits.jsonDepth + DATA_DEPTH,
    });
    const ack = await runs.append(c.req.param('runId'), events, producer);
    return c.json({ ...ack, cursor: formatCursor(ack.epoch, ack.last) });
  });

  return app;
}

const json = (c: Context, text: string): Response => c.body(text, 200, { 'content-type': 'application/json' });
