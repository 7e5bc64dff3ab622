import { Hono } from 'hono';
import { TelltaleError } from '../protocol/index.ts';
import { RunImport } from '../runs/index.ts';
import { isOfType } from './body.ts';
import type { AppContext } from './context.ts';
import { ingest } from './ingest.ts';
import { readQuery } from './query.ts';
import { ImportQuery } from './schemas.ts';

/** What a line has beside the event as it is stored: number and epoch. */
const NUMBERS = 128;

/** Takes whole runs from elsewhere (PROTOCOL.md section 8). */
export function importRoutes(context: AppContext): Hono {
  const { log, limits } = context;
  const app = new Hono();
  app.post('/v1/runs/import', (c) => {
    const target = readQuery(c, ImportQuery);
    if (!isOfType(c, 'x-ndjson')) {
      const detail = 'Send the run as "telltale export" writes it, with Content-Type: application/x-ndjson.';
      throw new TelltaleError('unsupported_media_type', detail);
    }
    const run = new RunImport(log, limits, target);
    const lineBytes = limits.eventBytes + NUMBERS;
    return ingest(c, context, (lines) => run.take(lines), { lineBytes, end: () => run.end() });
  });
  return app;
}
