import { Hono } from 'hono';
import type { Log } from '../log/index.ts';
import { encodeEvent, TelltaleError } from '../protocol/index.ts';
import { Health } from './answers.ts';
import type { AppContext } from './context.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

/** For supervisors: the process is there (`/healthz`), and it takes events (`/readyz`). */
export function healthRoutes({ log }: AppContext): Hono {
  const app = new Hono();
  const ok = { status: 'ok', durability: log.durability };
  app.get('/healthz', (c) => {
    readQuery(c, NoQuery);
    return c.json(ok);
  });
  app.get('/readyz', async (c) => {
    readQuery(c, NoQuery);
    await probe(log);
    return c.json(ok);
  });
  return app;
}

/** No caller can choose this id, so there is no such run. */
const NOBODY = '.probe';
const PROBE = encodeEvent(
  { type: 'custom', data: { name: 'probe', value: true } },
  { threadId: NOBODY, runId: NOBODY, time: '1970-01-01T00:00:00.000Z' },
);

/**
 * Appends to a run that cannot exist: a log that takes events finds that out and stores nothing; any other says why not.
 *
 * @throws {TelltaleError} `log_unavailable`, `storage_full`, `log_closed`.
 */
async function probe(log: Log): Promise<void> {
  try {
    await log.append(NOBODY, [PROBE], { runId: NOBODY });
  } catch (error) {
    if (!(error instanceof TelltaleError) || error.code !== 'run_not_found') throw error;
  }
}

export const healthOperations: Operations = {
  'GET /healthz': {
    id: 'isAlive',
    group: 'Server',
    needs: 'nothing',
    summary: 'The process is there',
    description: 'Says nothing of the log: restart the process where this does not answer.',
    answers: { 200: { description: 'It is.', json: Health, example: { status: 'ok', durability: 'disk' } } },
    refuses: [],
    examples: [{}],
  },
  'GET /readyz': {
    id: 'isReady',
    group: 'Server',
    needs: 'nothing',
    summary: 'The log takes events',
    description: 'Asks the log itself, and stores nothing. Send no more work where this is 503.',
    answers: { 200: { description: 'It does.', json: Health, example: { status: 'ok', durability: 'disk' } } },
    refuses: ['storage_full'],
    examples: [{}],
  },
};
