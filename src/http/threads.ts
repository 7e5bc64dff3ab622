import { Hono } from 'hono';
import { formatCursor } from '../protocol/index.ts';
import { Thread } from './answers.ts';
import type { RouteContext } from './context.ts';
import { findThread } from './lookup.ts';
import type { Operations } from './openapi/operation.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

export function threadRoutes({ log }: RouteContext): Hono {
  const app = new Hono();
  app.get('/v1/threads/:threadId', async (c) => {
    readQuery(c, NoQuery);
    const threadId = c.req.param('threadId');
    const { epoch, first: earliest, last: latest } = await findThread(log, threadId);
    return c.json({ threadId, epoch, earliest, latest, cursor: formatCursor(epoch, latest) });
  });
  return app;
}

export const threadOperations: Operations = {
  'GET /v1/threads/{threadId}': {
    id: 'getThread',
    group: 'Threads',
    needs: 'read',
    summary: 'What numbers a thread holds',
    description: 'Begin a stream or a page after `cursor` to see what comes next and nothing before.',
    answers: {
      200: {
        description: 'The thread.',
        json: Thread,
        example: { threadId: 'talk', epoch: 'k3f9x0q2vd', earliest: 1, latest: 12, cursor: 'k3f9x0q2vd.12' },
      },
    },
    refuses: ['thread_not_found'],
    examples: [{ path: { threadId: 'talk' } }],
  },
};
