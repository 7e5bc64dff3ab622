import { Hono } from 'hono';
import { z } from 'zod';
import { agentActivity as dialectOf } from '../../dialects/index.ts';
import { ResumeHeaders } from '../openapi/operation.ts';
import { readQuery } from '../query.ts';
import { stream } from '../stream.ts';
import { toRequest } from '../stream-request.ts';
import { ASK_AGAIN_MS, type Door, DoorQuery, streaming, threadIdOf, unlessAbsent } from './door.ts';

const text = z.string();
const named = { session_id: text, timestamp: z.iso.datetime() };
const AgentActivity = z.object({
  ...named,
  agent_name: text,
  action: text,
  status: text,
  details: z.unknown().exactOptional(),
});
const AgentActivityError = AgentActivity.partial({ agent_name: true, timestamp: true });
const AgentActivityHeartbeat = z.object(named);

/** What the agents of a session do, for as long as anybody watches (docs/doors/agent-activity.md). */
export const agentActivity: Door = {
  routes(context) {
    const { hub, log, access } = context;
    const app = new Hono();
    app.get(
      '/sse/agent-activity/:sessionId',
      streaming(context, async (c) => {
        const query = readQuery(c, DoorQuery);
        const sessionId = c.req.param('sessionId') as string;
        const threadId = threadIdOf(sessionId, 'sessionId');
        const dialect = dialectOf(threadId === sessionId ? undefined : sessionId);
        const { selection, ...request } = toRequest(c, query, dialect);
        const permit = access.permit(c, 'read', { threadIds: [threadId] });
        // Somebody else's is awaited as one that is not there, and asked about as often as an open stream is.
        let askAgainAt = 0;
        const find = async () => {
          if (performance.now() < askAgainAt || !(await log.head(threadId))) return undefined;
          askAgainAt = performance.now() + ASK_AGAIN_MS;
          const head = await access.thread(c, 'read', threadId).catch(unlessAbsent);
          return head && { ...request, permit, selection, threadId };
        };
        const { padding } = request;
        const expected = {
          dialect,
          threadId,
          permit: access.permit(c, 'read'),
          find,
          ...selection,
          ...(padding !== undefined && { padding }),
        };
        return stream(c, (sink) => hub.openExpected(expected, sink));
      }),
    );
    return app;
  },

  // Its front end is an Angular one, which `ng serve` shows there.
  cors: { path: '/sse/agent-activity/', origins: ['http://localhost:4200'] },

  schemas: { AgentActivity, AgentActivityError, AgentActivityHeartbeat },

  operations: {
    'GET /sse/agent-activity/{sessionId}': {
      id: 'streamAgentActivity',
      group: 'Doors',
      // Whose the session is, it finds out itself: it may not be there yet, and its id may be spelt in two ways.
      needs: 'read',
      summary: 'Watch the agents of a session',
      description:
        'Everything that the agents of the session did and do. It waits for a session that is not there yet, and never ends by itself.',
      query: DoorQuery,
      headers: ResumeHeaders,
      answers: {
        200: {
          description: 'The stream.',
          frames: {
            agentActivity: AgentActivity,
            agentStatusUpdate: AgentActivity,
            error: AgentActivityError,
            heartbeat: AgentActivityHeartbeat,
          },
        },
      },
      refuses: ['not_acceptable'],
      examples: [{ path: { sessionId: 'talk' } }],
    },
  },
};
