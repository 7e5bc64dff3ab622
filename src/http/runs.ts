import { Hono } from 'hono';
import type { RunRecord } from '../log/index.ts';
import { formatCursor } from '../protocol/index.ts';
import { readBody } from './body.ts';
import type { AppContext } from './context.ts';
import { readQuery } from './query.ts';
import { CancelRequest, ListRunsQuery, NoQuery, StartRunRequest } from './schemas.ts';

/** Starting, finding, reading and cancelling runs. */
export function runRoutes({ log, runs, limits }: AppContext): Hono {
  const app = new Hono();
  // A body nests one level more than what it carries: `input` stands in `data` of the event as it stands in the body.
  const rules = { maxBytes: limits.batchBytes, maxDepth: limits.jsonDepth };

  app.post('/v1/runs', async (c) => {
    readQuery(c, NoQuery);
    const request = await readBody(c, { ...rules, schema: StartRunRequest });
    const { runId, threadId, status, ack } = await runs.start(request);
    const self = `/v1/runs/${runId}`;
    const cursor = formatCursor(ack.epoch, ack.last);
    const links = { self, stream: `${self}/stream`, events: `${self}/events`, cancel: `${self}/cancel` };
    return c.json({ runId, threadId, status, cursor, links }, 201, { location: self });
  });

  app.get('/v1/runs', async (c) => {
    const { runs: found, next } = await log.runs.list(readQuery(c, ListRunsQuery));
    return c.json({ runs: found.map(summary), ...(next !== undefined && { next }) });
  });

  app.get('/v1/runs/:runId', async (c) => {
    readQuery(c, NoQuery);
    const snapshot = await runs.snapshot(c.req.param('runId'));
    return c.json({ ...snapshot, cursor: formatCursor(snapshot.epoch, snapshot.seq) });
  });

  app.post('/v1/runs/:runId/cancel', async (c) => {
    readQuery(c, NoQuery);
    const request = await readBody(c, { ...rules, schema: CancelRequest, absent: {} });
    const outcome = await runs.cancel(c.req.param('runId'), request);
    return c.json(outcome, outcome.commandId === undefined ? 200 : 202);
  });

  return app;
}

/** What a list says of a run. Its owner and its lease are nobody else's business; its commands are in the snapshot. */
function summary(record: RunRecord): object {
  const { owner: _owner, leased: _leased, leaseMs: _leaseMs, renewedAt: _renewedAt, ...more } = record;
  const { fence: _fence, commands: _commands, ...run } = more;
  return run;
}
