import { Hono } from 'hono';
import { formatCursor } from '../protocol/index.ts';
import type { AppContext } from './context.ts';
import { findThread } from './lookup.ts';
import { readQuery } from './query.ts';
import { NoQuery } from './schemas.ts';

export function threadRoutes({ log }: AppContext): Hono {
  const app = new Hono();
  app.get('/v1/threads/:threadId', async (c) => {
    readQuery(c, NoQuery);
    const threadId = c.req.param('threadId');
    const { epoch, first: earliest, last: latest } = await findThread(log, threadId);
    return c.json({ threadId, epoch, earliest, latest, cursor: formatCursor(epoch, latest) });
  });
  return app;
}
