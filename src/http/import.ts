import { Hono } from 'hono';
import { TelltaleError } from '../protocol/index.ts';
import { RunImport } from '../runs/index.ts';
import { ImportedOrProblem, RunFileLine } from './answers.ts';
import { isOfType } from './body.ts';
import type { RouteContext } from './context.ts';
import { ingest } from './ingest.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { ImportQuery } from './schemas.ts';

/** What a line has beside the event as it is stored: number and epoch. */
const NUMBERS = 128;

/** Takes whole runs from elsewhere (PROTOCOL.md section 8). */
export function importRoutes(context: RouteContext): Hono {
  const { log, limits, access } = context;
  const app = new Hono();
  app.post('/v1/runs/import', (c) => {
    const target = readQuery(c, ImportQuery);
    if (!isOfType(c, 'x-ndjson')) {
      const detail = 'Send the run as "telltale export" writes it, with Content-Type: application/x-ndjson.';
      throw new TelltaleError('unsupported_media_type', detail);
    }
    const admit = access.admitImport(c);
    const run = new RunImport(log, limits, { ...target, ...access.ownerOf(c), ...(admit && { admit }) });
    const lineBytes = limits.eventBytes + NUMBERS;
    const permit = access.permit(c, 'write');
    return ingest(c, context, (lines) => run.take(lines), { lineBytes, permit, end: () => run.end() });
  });
  return app;
}

const envelope = { epoch: 'k3f9x0q2vd', threadId: 'elsewhere', runId: 'elsewhere' };

export const importOperations: Operations = {
  'POST /v1/runs/import': {
    id: 'importRun',
    group: 'Runs',
    needs: 'write',
    summary: 'Take a whole run from a file',
    description:
      'The file is what `telltale export` writes. Times, agents and data are kept, numbers are new. The same file again goes on where an attempt before broke off.',
    query: ImportQuery,
    body: { lines: RunFileLine },
    answers: { 200: { description: 'A line for each batch, as it is stored.', lines: ImportedOrProblem } },
    refuses: ['unsupported_media_type'],
    examples: [
      {
        query: { runId: 'copied' },
        lines: [
          { telltale: 'run', version: 1, runId: 'elsewhere', threadId: 'elsewhere' },
          {
            seq: 1,
            ...envelope,
            type: 'run.started',
            time: '2026-11-20T18:00:00.000Z',
            data: { agent: 'greeter', input: 'Ada' },
          },
          { seq: 2, ...envelope, type: 'run.completed', time: '2026-11-20T18:00:02.000Z', data: { output: 'Hello' } },
        ],
      },
    ],
  },
};
