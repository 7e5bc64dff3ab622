import { type Context, Hono } from 'hono';
import { ImplicitRuns } from '../runs/index.ts';
import { isOfType, readBody } from './body.ts';
import type { AppContext } from './context.ts';
import { answerTo, ingest } from './ingest.ts';
import { findRun } from './lookup.ts';
import { readPage } from './page.ts';
import { readProducer } from './producer.ts';
import { readQuery } from './query.ts';
import { AppendRequest, AppendToThreadRequest, EventsQuery, NoQuery } from './schemas.ts';

/** `{"events":[{"data":…}]}`: how deep in the body `data` stands. */
const DATA_DEPTH = 3;

/** Reading events page by page, and appending them. */
export function eventRoutes(context: AppContext): Hono {
  const { log, runs, limits } = context;
  const app = new Hono();
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth + DATA_DEPTH };

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
    if (isOfType(c, 'x-ndjson')) {
      const { runId } = await findRun(log, c.req.param('runId'));
      return ingest(c, context, (lines, from) => runs.appendLines(runId, lines, producer && after(producer, from)));
    }
    const { events } = await readBody(c, { ...rules, schema: AppendRequest });
    const ack = await runs.append(c.req.param('runId'), events, producer);
    return c.json(answerTo(ack));
  });

  const implicit = new ImplicitRuns(log, runs, limits);
  app.post('/v1/threads/:threadId/events', async (c) => {
    readQuery(c, NoQuery);
    const producer = readProducer(c);
    const request = await readBody(c, { ...rules, schema: AppendToThreadRequest });
    return c.json(answerTo(await implicit.append(c.req.param('threadId'), { ...request, producer })));
  });

  return app;
}

/** The key of a line that so many others came before. */
const after = <Key extends { readonly seq: number }>(key: Key, lines: number): Key => ({
  ...key,
  seq: key.seq + lines,
});

const json = (c: Context, text: string): Response => c.body(text, 200, { 'content-type': 'application/json' });
